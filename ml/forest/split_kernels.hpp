// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

/// The inner loops of tree growth, once for each instruction set. Plain functions over plain memory: this page is all
/// that their translation units share with others, so that no code compiled for a newer processor leaks out of them.
namespace penstock::ml {

// -- large nodes: histograms ---------------------------------------------------

/// Best candidate of each of eight features that share a histogram. Gain 0: there is none.
struct group_best {
  static constexpr unsigned block = 16; ///< bins

  float gain[8];
  std::uint8_t first[8]; ///< bin with which the first block begins that has the gain: only the winner asks for more
};

/// Scans a histogram for splits between values; the missing ones (code 255) are left out.
/// @param cells  256×8: of each code, of each feature; see `cell`
/// @param bins   codes 0 … bins−1 are looked at
/// @param all    sum of the cells of a feature
/// @param least  samples that each side must have, at least 1
using scan_function = void(const std::uint64_t* cells, unsigned bins, std::uint64_t all, std::uint32_t least,
                           group_best& best);

/// Takes one histogram off another. @param count  cells, a multiple of 8
using subtract_function = void(std::uint64_t* from, const std::uint64_t* what, std::size_t count);

/// Rows of a tree's sample, side by side: those of a node stand together, ascending. A row that was drawn more than 255
/// times stands there several times.
struct sampled_rows {
  std::uint8_t* codes;     ///< rows×stride
  std::uint32_t* payloads; ///< of each row: sum << 8 | samples
  float* deviations;       ///< of each row: what its target gives a leaf
  std::size_t stride;      ///< a multiple of 8

  /// What a wide load or store may touch behind the last row.
  static constexpr std::size_t padding = 64;
};

/// The question that divides rows: those of code 0 … cut go left, and of 255 when `missing_left`.
struct question {
  std::size_t feature;
  std::uint8_t cut;
  bool missing_left;
  bool left_in_front; ///< which side keeps its place
};

/// Divides `count` rows by one feature, stably: one side comes to the front, the other to `rest`. Returns how many are
/// in front.
using divide_function = std::uint32_t(const sampled_rows& rows, std::uint32_t count, const question& asked,
                                      const sampled_rows& rest);

// -- small nodes: sorted lists -------------------------------------------------

/// A part of a tree with at most 255 samples. Its rows have one-byte numbers, ascending as the rows do; each feature
/// keeps them in the order of its codes. Those of a node stand together, at the same place for every feature.
struct sorted_rows {
  /// Bytes of a list: all rows, and what a wide load or store may touch behind them.
  static constexpr std::size_t stride = 256 + 64;

  unsigned rows; ///< 1 … 255
  unsigned features;
  unsigned row_stride;              ///< bytes of a row in `codes_by_row`, a multiple of 8
  const std::uint8_t* codes_by_row; ///< rows×row_stride: code of each feature
  std::uint8_t* codes;              ///< features×stride: code of each row
  std::uint8_t* order; ///< (features+1)×stride: numbers of rows, sorted by code, then by number; last: by number
  std::uint8_t* sorted_codes;              ///< (features+1)×stride: the codes in that order; of the last list nothing
  alignas(64) std::uint32_t payload[256];  ///< of each row: sum << 8 | samples
  alignas(64) std::uint8_t planes[4][256]; ///< the same, byte by byte
};

struct sorted_node {
  unsigned begin; ///< place of its rows in every list
  unsigned rows;
  std::uint32_t all; ///< sum of their payloads
};

/// Among equal gains that of the lowest feature, then that of the fewest rows on the left.
struct sorted_best {
  float gain; ///< 0: there is no split
  unsigned feature;
  unsigned left_rows;
  std::uint32_t left; ///< sum of the payloads of the left side
};

struct sorted_kernels {
  /// Fills `codes` from `codes_by_row`, and `planes` from `payload`.
  void (*turn)(sorted_rows& rows);
  /// Sorts all rows by the codes of each of the features [first, first + 8) that exist, into their lists.
  void (*sort_all)(sorted_rows& rows, unsigned first);
  /// Sorts the rows of a node, which list `from` holds ascending, by the codes of a feature into that feature's list.
  void (*sort)(sorted_rows& rows, const sorted_node& node, unsigned from, unsigned feature);
  /// Best split of a node over the sorted lists [first, last), in which no code of the node is 255.
  void (*find)(const sorted_rows& rows, const sorted_node& node, unsigned first, unsigned last, std::uint32_t least,
               sorted_best& best);
  /// Divides lists [first, last) stably, the left side to the front. Returns how many rows of the node go left.
  unsigned (*divide)(sorted_rows& rows, const sorted_node& node, unsigned first, unsigned last, const question& asked);
};

// -- the sets ------------------------------------------------------------------

/// `sorted_kernels::sort_all` of every set.
void sort_all_lists(sorted_rows& rows, unsigned first);

scan_function scan_portable;
scan_function scan_avx2;
scan_function scan_avx512;

subtract_function subtract_portable;
subtract_function subtract_avx512;

divide_function divide_portable;
divide_function divide_avx512;

extern const sorted_kernels sorted_portable;
extern const sorted_kernels sorted_avx2;
extern const sorted_kernels sorted_vbmi;

} // namespace penstock::ml
