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
  float gain[8];
  std::uint8_t bin[8]; ///< codes <= bin go left
};

/// Scans a histogram for splits between values; the missing ones (code 255) are left out.
/// @param cells  256×8: of each code, of each feature; see `cell`
/// @param bins   codes 0 … bins−1 are looked at
/// @param all    sum of the cells of a feature
/// @param least  samples that each side must have, at least 1
using scan_function = void(const std::uint64_t* cells, unsigned bins, std::uint64_t all, std::uint32_t least,
                           group_best& best);

// -- small nodes: sorted lists -------------------------------------------------

/// A part of a tree with at most 255 samples. Its rows have one-byte numbers, ascending as the rows do; each feature
/// keeps them in the order of its codes. Those of a node stand together, at the same place for every feature.
struct sorted_rows {
  /// Bytes of a list: all rows, and what a wide load or store may touch behind them.
  static constexpr std::size_t stride = 256 + 64;

  unsigned rows; ///< 1 … 255
  unsigned features;
  const std::uint8_t* codes; ///< features×stride: code of each row
  std::uint8_t* order;       ///< (features+1)×stride: numbers of rows, sorted by code, then by number; last: by number
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
  /// Sorts the rows of a node, which list `from` holds ascending, by the codes of a feature into that feature's list.
  void (*sort)(sorted_rows& rows, const sorted_node& node, unsigned from, unsigned feature);
  /// Best split of a node over the sorted lists [first, last), in which no code of the node is 255.
  void (*find)(const sorted_rows& rows, const sorted_node& node, unsigned first, unsigned last, std::uint32_t least,
               sorted_best& best);
  /// Divides one list stably: rows of which `codes` of `by` is at most `cut`, or 255 when `missing_left`, come first.
  /// Returns how many they are.
  unsigned (*divide)(sorted_rows& rows, const sorted_node& node, unsigned list, unsigned by, std::uint8_t cut,
                     bool missing_left);
};

// -- the sets ------------------------------------------------------------------

scan_function scan_portable;
scan_function scan_avx2;
scan_function scan_avx512;

extern const sorted_kernels sorted_portable;
extern const sorted_kernels sorted_avx2;
extern const sorted_kernels sorted_vbmi;

} // namespace penstock::ml
