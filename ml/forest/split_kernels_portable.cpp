// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/growth.hpp"
#include "ml/forest/split_kernels.hpp"

#include <cstring>

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
        best.first[lane] = static_cast<std::uint8_t>(bin / group_best::block * group_best::block);
      }
    }
  }
}

void subtract_portable(std::uint64_t* from, const std::uint64_t* what, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    from[i] -= what[i];
  }
}

namespace {

/// `Stride`: bytes of a row; 0 = as they say.
template <std::size_t Stride>
std::uint32_t divide_rows(const sampled_rows& rows, std::uint32_t count, const question& asked,
                          const sampled_rows& rest) {
  const auto bytes = Stride != 0 ? Stride : rows.stride;
  // Code 255 wraps around to 0 when missing values go left.
  const auto shift = static_cast<std::uint8_t>(asked.missing_left ? 1 : 0);
  const auto reach = static_cast<std::uint8_t>(asked.cut + shift);
  std::uint32_t front = 0;
  std::uint32_t others = 0;
  const auto* codes = rows.codes;
  for (std::uint32_t i = 0; i < count; ++i, codes += bytes) {
    const bool goes_left = static_cast<std::uint8_t>(codes[asked.feature] + shift) <= reach;
    const bool stays = goes_left == asked.left_in_front;
    const auto payload = rows.payloads[i];
    const auto deviation = rows.deviations[i];
    // To both sides; the one that it does not go to is written over.
    for (std::size_t byte = 0; byte < bytes; byte += sizeof(std::uint64_t)) {
      std::uint64_t eight = 0;
      std::memcpy(&eight, codes + byte, sizeof(eight));
      std::memcpy(rest.codes + others * bytes + byte, &eight, sizeof(eight));
      std::memcpy(rows.codes + front * bytes + byte, &eight, sizeof(eight));
    }
    rest.payloads[others] = rows.payloads[front] = payload;
    rest.deviations[others] = rows.deviations[front] = deviation;
    front += stays ? 1 : 0;
    others += stays ? 0 : 1;
  }
  return front;
}

} // namespace

std::uint32_t divide_portable(const sampled_rows& rows, std::uint32_t count, const question& asked,
                              const sampled_rows& rest) {
  return (rows.stride == 8 ? divide_rows<8> : divide_rows<0>)(rows, count, asked, rest);
}

// -- small nodes ---------------------------------------------------------------

namespace {

constexpr std::size_t stride = sorted_rows::stride;

/// The planes are for kernels that look single bytes up.
void turn(sorted_rows& rows) {
  for (unsigned feature = 0; feature < rows.features; ++feature) {
    const auto* from = rows.codes_by_row + feature;
    auto* to = rows.codes + feature * stride;
    for (unsigned row = 0; row < rows.rows; ++row, from += rows.row_stride) {
      to[row] = *from;
    }
  }
}

/// By counting, eight features side by side: their chains of loads and stores do not wait for each other, and the
/// places of all eight are summed up in one word, of which no byte overflows.
template <unsigned Lanes>
void sort_lanes(sorted_rows& rows, unsigned first, unsigned features) {
  alignas(64) std::uint8_t places[256][Lanes] = {};
  const auto* codes = rows.codes_by_row + first;
  for (unsigned row = 0; row < rows.rows; ++row, codes += rows.row_stride) {
    for (unsigned lane = 0; lane < Lanes; ++lane) {
      ++places[codes[lane]][lane];
    }
  }
  std::uint64_t before = 0;
  for (auto& of_code : places) {
    std::uint64_t here = 0;
    std::memcpy(&here, of_code, Lanes);
    std::memcpy(of_code, &before, Lanes);
    before += here;
  }
  codes = rows.codes_by_row + first;
  auto* order = rows.order + first * stride;
  auto* sorted_codes = rows.sorted_codes + first * stride;
  for (unsigned row = 0; row < rows.rows; ++row, codes += rows.row_stride) {
    for (unsigned lane = 0; lane < features; ++lane) {
      const auto place = places[codes[lane]][lane]++;
      order[lane * stride + place] = static_cast<std::uint8_t>(row);
      sorted_codes[lane * stride + place] = codes[lane];
    }
  }
}

} // namespace

void sort_all_lists(sorted_rows& rows, unsigned first) {
  const auto features = rows.features - first;
  if (features >= 8) {
    sort_lanes<8>(rows, first, 8);
  } else {
    sort_lanes<8>(rows, first, features);
  }
}

namespace {

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

unsigned divide_list(sorted_rows& rows, const sorted_node& node, unsigned list, const question& asked) {
  const auto* deciding = rows.codes + asked.feature * stride;
  auto* order = rows.order + list * stride + node.begin;
  auto* codes = rows.sorted_codes + list * stride + node.begin;
  std::uint8_t right_order[256];
  std::uint8_t right_codes[256];
  // Code 255 wraps around to 0 when missing values go left.
  const auto shift = static_cast<std::uint8_t>(asked.missing_left ? 1 : 0);
  const auto reach = static_cast<std::uint8_t>(asked.cut + shift);
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
  std::memcpy(order + left, right_order, right);
  std::memcpy(codes + left, right_codes, right);
  return left;
}

unsigned divide(sorted_rows& rows, const sorted_node& node, unsigned first, unsigned last, const question& asked) {
  unsigned left = 0;
  for (unsigned list = first; list < last; ++list) {
    left = divide_list(rows, node, list, asked);
  }
  return left;
}

} // namespace

const sorted_kernels sorted_portable{turn, sort_all_lists, sort, find, divide};

} // namespace penstock::ml
