// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

/// From values to codes of bins, once for each instruction set. Plain functions over plain memory: this page is all
/// that their translation units share with others, so that no code compiled for a newer processor leaks out of them.
namespace penstock::ml {

/// The cuts of a feature, ascending, filled up with +infinity, and the last one of each block of them: the number of
/// cuts below a value is found by comparing it with a whole row of each.
struct bin_table {
  static constexpr std::size_t blocks = 16;
  alignas(64) float coarse[blocks];
  alignas(64) float fine[blocks * blocks];
};

/// @param values  count floats, none +infinity
/// @param codes   count places: the number of cuts below the value; 255 for NaN
using bin_function = void(const bin_table& table, const float* values, std::size_t count, std::uint8_t* codes);

bin_function bin_portable;
bin_function bin_avx2;
bin_function bin_avx512;

} // namespace penstock::ml
