// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ml/forest/split_kernels.hpp"

#include <cstddef>
#include <cstdint>

/// Bootstrap samples, once for each instruction set. Plain functions over plain memory: this page is all that their
/// translation units share with others, so that no code compiled for a newer processor leaks out of them.
namespace penstock::ml {

/// Draws `draws` rows below `rows` with the `random_stream` of this key and counts each. Returns how many have a count.
/// @param counts  rows places, 0 before; a row that is drawn 256 times is back at 0
using draw_function = std::uint32_t(std::uint64_t key, std::uint32_t rows, std::uint32_t draws, std::uint8_t* counts);

/// Collects the rows that were drawn.
/// @param counts   rows places
/// @param targets  rows places
/// @param deviations  rows places
/// @param codes    rows×stride
/// @param drawn    room for all rows, and the padding
/// @param all      sum of the cells (see `cell`) of the sample
/// @return how many rows are drawn
using gather_function = std::uint32_t(const std::uint8_t* counts, const std::uint16_t* targets, const float* deviations,
                                      const std::uint8_t* codes, std::uint32_t rows, const sampled_rows& drawn,
                                      std::uint64_t& all);

draw_function draw_portable;
draw_function draw_avx512;
gather_function gather_portable;
gather_function gather_avx512;

} // namespace penstock::ml
