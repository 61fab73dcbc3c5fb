// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/growth.hpp"
#include "ml/forest/split_kernels.hpp"

namespace penstock::ml {

// -- large nodes ---------------------------------------------------------------

void scan_portable(const std::uint64_t* cells, unsigned bins, std::uint64_t all, std::uint32_t least,
                   group_best& best) {
  constexpr unsigned lanes = 8;
  std::uint64_t left[lanes] = {};
  best = {};
  for (unsigned bin = 0; bin < bins; ++bin, cells += lanes) {
    for (unsigned lane = 0; lane < lanes; ++lane) {
      left[lane] += cells[lane];
      const auto n_left = samples_of(left[lane]);
      const auto n_right = samples_of(all) - n_left;
      if (cells[lane] == 0 || n_left < least || n_right < least) {
        continue;
      }
      const auto gain = split_gain(all, left[lane]);
      if (gain > best.gain[lane]) {
        best.gain[lane] = gain;
        best.bin[lane] = static_cast<std::uint8_t>(bin);
      }
    }
  }
}

// -- small nodes ---------------------------------------------------------------

namespace {

constexpr std::size_t stride = sorted_rows::stride;

/// By counting.
void sort(sorted_rows& rows, const sorted_node& node, unsigned from, unsigned feature) {
  const auto* codes = rows.codes + feature * stride;
  const auto* numbers = rows.order + from * stride + node.begin;
  auto* order = rows.order + feature * stride + node.begin;
  auto* sorted_codes = rows.sorted_codes + feature * stride + node.begin;
  std::uint8_t places[256] = {};
  for (unsigned i = 0; i < node.rows; ++i) {
    ++places[codes[numbers[i]]];
  }
  std::uint8_t next = 0;
  for (auto& place : places) {
    const auto here = place;
    place = next;
    next = static_cast<std::uint8_t>(next + here);
  }
  for (unsigned i = 0; i < node.rows; ++i) {
    const auto place = places[codes[numbers[i]]]++;
    order[place] = numbers[i];
    sorted_codes[place] = codes[numbers[i]];
  }
}

/// As `split_gain`. 32 bits hold everything here: the difference is at most 127·128·65535.
float gain_of(std::uint32_t all, std::uint32_t left) {
  const auto n_left = left & 255;
  const auto n_right = (all & 255) - n_left;
  const auto difference = static_cast<std::int32_t>((all & 255) * (left >> 8) - (all >> 8) * n_left);
  const auto rounded = static_cast<float>(difference);
  return rounded * rounded / (static_cast<float>(n_left) * static_cast<float>(n_right));
}

void find(const sorted_rows& rows, const sorted_node& node, unsigned first, unsigned last, std::uint32_t least,
          sorted_best& best) {
  best = {};
  for (unsigned feature = first; feature < last; ++feature) {
    const auto* order = rows.order + feature * stride + node.begin;
    const auto* codes = rows.sorted_codes + feature * stride + node.begin;
    std::uint32_t left = 0;
    for (unsigned i = 0; i + 1 < node.rows; ++i) {
      left += rows.payload[order[i]];
      const auto n_left = left & 255;
      if (codes[i] == codes[i + 1] || n_left < least || (node.all & 255) - n_left < least) {
        continue;
      }
      const auto gain = gain_of(node.all, left);
      if (gain > best.gain) {
        best = {gain, feature, i + 1, left};
      }
    }
  }
}

unsigned divide(sorted_rows& rows, const sorted_node& node, unsigned list, unsigned by, std::uint8_t cut,
                bool missing_left) {
  const auto* deciding = rows.codes + by * stride;
  auto* order = rows.order + list * stride + node.begin;
  auto* codes = rows.sorted_codes + list * stride + node.begin;
  std::uint8_t right_order[256];
  std::uint8_t right_codes[256];
  // Code 255 wraps around to 0 when missing values go left.
  const auto shift = static_cast<std::uint8_t>(missing_left ? 1 : 0);
  const auto reach = static_cast<std::uint8_t>(cut + shift);
  unsigned left = 0;
  unsigned right = 0;
  for (unsigned i = 0; i < node.rows; ++i) {
    const auto number = order[i];
    const auto code = codes[i];
    const bool goes_left = static_cast<std::uint8_t>(deciding[number] + shift) <= reach;
    order[left] = right_order[right] = number;
    codes[left] = right_codes[right] = code;
    left += goes_left;
    right += !goes_left;
  }
  for (unsigned i = 0; i < right; ++i) {
    order[left + i] = right_order[i];
    codes[left + i] = right_codes[i];
  }
  return left;
}

} // namespace

const sorted_kernels sorted_portable{sort, find, divide};

} // namespace penstock::ml
