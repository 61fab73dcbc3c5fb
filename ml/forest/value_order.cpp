// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/value_order.hpp"

#include <array>
#include <bit>
#include <cstdint>

namespace penstock::ml {

namespace {

constexpr unsigned digit_bits = 11;
constexpr unsigned digits = 3;
constexpr std::size_t buckets = std::size_t{1} << digit_bits;

/// Bits whose order as unsigned numbers is that of the floats, and back.
std::uint32_t key_of(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  return bits ^ ((bits >> 31) != 0 ? 0xFFFFFFFFU : 0x80000000U);
}
float value_of(std::uint32_t key) {
  return std::bit_cast<float>(key ^ ((key >> 31) != 0 ? 0x80000000U : 0xFFFFFFFFU));
}
std::size_t digit_of(std::uint32_t key, unsigned digit) {
  return (key >> (digit * digit_bits)) & (buckets - 1);
}

using counts = std::array<std::uint32_t, buckets>;

/// Moves keys into the order of one digit; false when it is the same in all of them.
bool sort_by(unsigned digit, counts& places, const std::vector<std::uint32_t>& from, std::vector<std::uint32_t>& to) {
  if (places[digit_of(from[0], digit)] == from.size()) {
    return false;
  }
  std::uint32_t before = 0;
  for (auto& place : places) {
    const auto here = place;
    place = before;
    before += here;
  }
  for (auto key : from) {
    to[places[digit_of(key, digit)]++] = key;
  }
  return true;
}

} // namespace

void sort_values(std::vector<float>& values, sort_memory& memory) {
  if (values.empty()) {
    return;
  }
  auto& [keys, sorted] = memory;
  keys.resize(values.size());
  sorted.resize(values.size());
  std::vector<counts> places(digits);
  for (std::size_t i = 0; i < values.size(); ++i) {
    keys[i] = key_of(values[i]);
    for (unsigned digit = 0; digit < digits; ++digit) {
      ++places[digit][digit_of(keys[i], digit)];
    }
  }
  for (unsigned digit = 0; digit < digits; ++digit) {
    if (sort_by(digit, places[digit], keys, sorted)) {
      keys.swap(sorted);
    }
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = value_of(keys[i]);
  }
}

} // namespace penstock::ml
