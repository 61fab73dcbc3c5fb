// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

/// The inner loops of forests in bytes (see byte_forest.hpp), once for each instruction set. Plain functions over plain
/// memory: this page is all that their translation units share with others, so that no code compiled for a newer
/// processor leaks out of them.
namespace penstock::ml {

/// A value as the number of its feature's thresholds below it, less 128. Then `x > threshold` is `code > cut`, where
/// `cut` is the threshold's own place, less 128.
using byte_code = std::int8_t;
inline constexpr byte_code missing_code = 127;
/// Of the threshold +inf: no number's code is above it, but `missing_code` is.
inline constexpr byte_code everything_left = 126;
inline constexpr std::size_t most_thresholds = 254;

/// The deepest heap of a tree. Its last level has 512 nodes.
inline constexpr unsigned deepest_byte_heap = 10;
/// Every heap has these levels at least; their nodes name features directly.
inline constexpr unsigned top_levels = 4;
inline constexpr unsigned widest_level = 64;
/// Bytes that loops may read behind a heap's or a plane's end.
inline constexpr std::size_t heap_padding = 64;

/// The upper levels of one tree as a complete heap, `depth` deep. A row's path is a number whose bit l says whether it
/// went right at level l; its node on level l is 2^l + path. Below the last level is the exit numbered by the path.
struct byte_heap {
  unsigned depth;           ///< 4 … 10
  bool one_list;            ///< all levels from 4 on have the same list, 8 long
  const byte_code* cuts;    ///< 2^depth, the first unused
  const std::uint8_t* tags; ///< 2^depth, the first unused: number of the feature in the level's list in the upper bits,
                            ///< its lowest bit first (as bit 7); bit 0: missing goes left
  const std::uint16_t* lists; ///< features of nodes 1 … 15 (place 0 unused), then for every level from 4 on: the number
                              ///< of features in its list (8, 16, 32 or 64), and those
  const std::uint32_t* exits; ///< 2^depth: what stands below the exit
};

/// Some rows on their way through a tree, `lanes` to a block.
struct byte_tile {
  static constexpr std::size_t most_rows = 1024;

  std::size_t blocks;
  std::size_t features;
  bool missing;           ///< some code is `missing_code`
  const byte_code* codes; ///< blocks×features×lanes
  std::uint8_t* low;      ///< blocks×lanes: bits 0 … 7 of the paths
  std::uint8_t* high;     ///< blocks×lanes: bits 8 and 9
  float* sums;            ///< blocks×lanes
};

/// The thresholds of a feature, ascending, for a search by comparing sixteen at a time.
struct byte_thresholds {
  const float* coarse; ///< 16: every sixteenth of the fine ones from the 16th on, then +inf
  const float* fine;   ///< all, then +inf up to a multiple of 16, at least one
};

struct byte_functions {
  const char* name;
  unsigned lanes;      ///< rows of a block
  unsigned least_rows; ///< fewer are faster one by one than as a block that is mostly empty

  /// Codes of rows, in blocks of `lanes` (any number). Of a last block that is not full the other places stay as they
  /// are.
  /// @return is a value missing?
  bool (*encode)(const byte_thresholds* thresholds, const float* rows, std::size_t count, std::size_t features,
                 std::size_t lanes, byte_code* codes);
  /// Rows to their exits, into `low` and `high`, in some trees at once: tiles[i] is on its way through heaps[i]. They
  /// differ in `low` and `high`.
  void (*walk)(const byte_heap* heaps, const byte_tile* tiles, std::size_t trees);
  /// Adds the numbers (float32) below the exits to the sums.
  void (*add)(const byte_heap& heap, const byte_tile& tile);
};

#if defined(__x86_64__)
extern const byte_functions byte_functions_avx2;
extern const byte_functions byte_functions_avx512;
extern const byte_functions byte_functions_avx512_vbmi;
#endif

} // namespace penstock::ml
