// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/byte_kernel.hpp"

#include "ml/forest/byte_forest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <utility>

namespace penstock::ml {

namespace {

/// Trees that a single row goes down at the same time, to hide the latency of loads.
constexpr std::size_t trees_at_once = 10;
/// With few rows, trees take turns, for the same reason.
constexpr std::size_t trees_in_turns = 4;
constexpr std::size_t rows_for_turns = byte_tile::most_rows / trees_in_turns;
/// Codes of a tile stay in the first cache beside a tree.
constexpr std::size_t tile_bytes = 16384;
constexpr std::size_t most_lanes = 64;

template <bool Missing>
std::uint32_t goes_right(byte_code code, byte_code cut, [[maybe_unused]] bool missing_left) {
  if constexpr (Missing) {
    // One more than a missing value's code wraps around to the lowest of all, which is above nothing.
    const int left = missing_left ? 1 : 0;
    return static_cast<std::uint32_t>(static_cast<byte_code>(code + left) > cut + left);
  } else {
    return static_cast<std::uint32_t>(code > cut);
  }
}

class byte_kernel : public forest_kernel {
public:
  byte_kernel(byte_forest forest, const byte_functions& functions, std::string reason)
      : forest_(std::move(forest)), functions_(functions), reason_(std::move(reason)),
        tile_rows_(std::clamp(tile_bytes / forest_.features / functions.lanes * functions.lanes,
                              std::size_t{functions.lanes}, byte_tile::most_rows)),
        missing_left_(forest_.small_nodes.empty() ? byte_forest::most_features : byte_forest::small_features) {
    heaps_.reserve(forest_.trees.size());
    for (const auto& tree : forest_.trees) {
      heaps_.push_back(forest_.heap_of(tree));
      if ((heaps_.size() - 1) % trees_at_once == 0) {
        common_depths_.push_back(tree.depth);
      }
      common_depths_.back() = std::min(common_depths_.back(), tree.depth);
    }
  }

  void sum_leaves(const float* rows, std::size_t count, float* sums) const override {
    const auto lanes = functions_.lanes;
    auto singles = count % lanes < functions_.least_rows ? count % lanes : 0;
    for (std::size_t left = count - singles; left != 0;) {
      const auto some = std::min(left, tile_rows_);
      sum_tile(rows, some, sums);
      rows += some * forest_.features;
      sums += some * forest_.leaf_width;
      left -= some;
    }
    for (; singles != 0; --singles) {
      sum_row(rows, sums);
      rows += forest_.features;
      sums += forest_.leaf_width;
    }
  }

  kernel_description description() const override { return {functions_.name, reason_}; }
  std::size_t memory() const override {
    return sizeof(*this) + forest_.memory() + heaps_.size() * sizeof(byte_heap) + common_depths_.size();
  }

private:
  void sum_tile(const float* rows, std::size_t count, float* sums) const {
    alignas(64) byte_code codes[std::max(tile_bytes, byte_forest::most_features * most_lanes)];
    alignas(64) std::uint8_t low[byte_tile::most_rows];
    alignas(64) std::uint8_t high[byte_tile::most_rows];
    alignas(64) float block_sums[byte_tile::most_rows];
    const std::size_t lanes = functions_.lanes;
    byte_tile tile{(count + lanes - 1) / lanes, forest_.features, false, codes, low, high, block_sums};
    tile.missing = functions_.encode(forest_.thresholds().data(), rows, count, forest_.features, lanes, codes);
    const bool wide = forest_.leaf_width > 1;
    if (wide) {
      std::fill_n(sums, count * forest_.leaf_width, 0.0F);
    } else {
      std::fill_n(block_sums, tile.blocks * lanes, 0.0F);
    }
    const auto& trees = forest_.trees;
    const auto together = count <= rows_for_turns ? trees_in_turns : 1;
    std::array<byte_tile, trees_in_turns> tiles;
    tiles.fill(tile);
    for (std::size_t i = 1; i < together; ++i) {
      tiles[i].low += i * rows_for_turns;
      tiles[i].high += i * rows_for_turns;
    }
    for (std::size_t first = 0; first < trees.size(); first += together) {
      const auto some = std::min(together, trees.size() - first);
      functions_.walk(&heaps_[first], tiles.data(), some);
      for (std::size_t i = 0; i < some; ++i) {
        if (!wide && !trees[first + i].linked) {
          functions_.add(heaps_[first + i], tiles[i]);
        } else {
          add_exits(trees[first + i], tiles[i], count, wide ? sums : block_sums);
        }
      }
    }
    if (!wide) {
      std::copy_n(block_sums, count, sums);
    }
  }

  void add_exits(const byte_forest::tree& tree, const byte_tile& tile, std::size_t count, float* sums) const {
    const std::size_t lanes = functions_.lanes;
    std::array<std::uint32_t, most_lanes> exits;
    for (std::size_t block = 0; block < tile.blocks; ++block) {
      const auto some = std::min(lanes, count - block * lanes);
      const auto* low = tile.low + block * lanes;
      const auto* high = tile.high + block * lanes;
      for (std::size_t row = 0; row < some; ++row) {
        const auto path = low[row] | (tree.depth > 8 ? std::uint32_t{high[row]} << 8 : 0);
        exits[row] = forest_.exits[tree.exits + path];
      }
      const auto* codes = tile.codes + block * lanes * forest_.features;
      if (tree.linked && tile.missing) {
        follow_links<true>(exits.data(), some, codes);
      } else if (tree.linked) {
        follow_links<false>(exits.data(), some, codes);
      }
      for (std::size_t row = 0; row < some; ++row) {
        add(exits[row], sums + (block * lanes + row) * forest_.leaf_width);
      }
    }
  }

  void add(std::uint32_t exit, float* sums) const {
    if (forest_.leaf_width == 1) {
      *sums += std::bit_cast<float>(exit);
      return;
    }
    const auto* values = forest_.values.data() + exit * forest_.leaf_width;
    for (std::size_t i = 0; i < forest_.leaf_width; ++i) {
      sums[i] += values[i];
    }
  }

  template <bool Missing>
  std::uint32_t follow(std::uint32_t at, const byte_code* codes, std::size_t lanes) const {
    const auto& link = forest_.links[at];
    return link.left + goes_right<Missing>(codes[link.feature * lanes], link.cut, link.missing_left);
  }

  /// Numbers of links to what stands below them, row by row of one block.
  template <bool Missing>
  void follow_links(std::uint32_t* at, std::size_t count, const byte_code* codes) const {
    constexpr std::size_t rows_at_once = 16;
    const std::size_t lanes = functions_.lanes;
    for (std::size_t first = 0; first < count; first += rows_at_once) {
      const auto some = std::min(rows_at_once, count - first);
      for (bool moved = true; moved;) {
        moved = false;
        for (std::size_t i = first; i < first + some; ++i) {
          const auto next = follow<Missing>(at[i], codes + i, lanes);
          moved |= next != at[i];
          at[i] = next;
        }
      }
    }
    for (std::size_t i = 0; i < count; ++i) {
      at[i] = forest_.link_exits[at[i]];
    }
  }

  // -- one row, many trees ------------------------------------------------------

  /// Codes of a single row, twice: behind `missing_left` missing values have the lowest code, which goes left always.
  struct row_codes {
    std::uint8_t of[2 * byte_forest::most_features];
  };

  void sum_row(const float* row, float* sums) const {
    row_codes codes;
    const auto features = forest_.features;
    byte_code once[byte_forest::most_features];
    const bool missing = functions_.encode(forest_.thresholds().data(), row, 1, features, 1, once);

    for (std::size_t feature = 0; feature < features; ++feature) {
      const auto code = static_cast<std::uint8_t>(once[feature] + 128);
      codes.of[feature] = code;
      codes.of[missing_left_ + feature] = missing && once[feature] == missing_code ? 0 : code;
    }
    std::fill_n(sums, forest_.leaf_width, 0.0F);
    if (forest_.small_nodes.empty()) {
      sum_trees(forest_.large_nodes.data(), codes, sums);
    } else {
      sum_trees(forest_.small_nodes.data(), codes, sums);
    }
  }

  /// The leaves are added one by one in the order of the trees, as everywhere.
  template <class Node>
  void sum_trees(const Node* nodes, const row_codes& codes, float* sums) const {
    const auto& trees = forest_.trees;
    const bool numbers = forest_.leaf_width == 1 && forest_.links.empty(); // at all exits
    float sum = 0;
    for (std::size_t first = 0; first < trees.size(); first += trees_at_once) {
      const auto some = std::min(trees_at_once, trees.size() - first);
      const unsigned common = common_depths_[first / trees_at_once];
      std::array<const Node*, trees_at_once> at;
      at.fill(nodes);
      for (std::size_t i = 0; i < some; ++i) {
        at[i] = nodes + trees[first + i].nodes;
      }
      for (std::size_t places = 1; places != std::size_t{1} << common; places *= 2) {
#pragma GCC unroll 16
        for (std::size_t i = 0; i < trees_at_once; ++i) {
          at[i] = step(at[i], places, codes);
        }
      }
      std::array<std::uint32_t, trees_at_once> exits;
      for (std::size_t i = 0; i < some; ++i) {
        const auto& tree = trees[first + i];
        if (tree.depth != common) {
          at[i] = step_on(at[i], common, tree.depth, codes);
        }
        const auto path = static_cast<std::size_t>(at[i] - nodes) - tree.nodes;
        exits[i] = forest_.exits[tree.exits + path];
        if (numbers) {
          sum += std::bit_cast<float>(exits[i]);
        }
      }
      if (!numbers) {
        follow_links(&trees[first], exits.data(), some, codes);
        for (std::size_t i = 0; i < some; ++i) {
          add(exits[i], sums);
        }
      }
    }
    *sums += sum;
  }

  /// A row in a heap, as the place `path` of it, on a level of so many nodes.
  template <class Node>
  static const Node* step(const Node* at, std::size_t places, const row_codes& codes) {
    const auto& node = at[places];
    // Arithmetic, for compilers make a branch of a choice, which is foretold badly; clang even of a comparison.
#if defined(__clang__)
    const auto right = (static_cast<std::size_t>(node.cut) - codes.of[node.index]) >> 8;
#else
    const auto right = -static_cast<std::size_t>(node.cut < codes.of[node.index]);
#endif
    return at + (right & places);
  }

  template <class Node>
  static const Node* step_on(const Node* at, unsigned from, unsigned depth, const row_codes& codes) {
    for (; from < depth; ++from) {
      at = step(at, std::size_t{1} << from, codes);
    }
    return at;
  }

  /// Numbers of links of the trees that have some to what stands below them.
  void follow_links(const byte_forest::tree* trees, std::uint32_t* at, std::size_t count,
                    const row_codes& codes) const {
    for (bool moved = true; moved;) {
      moved = false;
      for (std::size_t i = 0; i < count; ++i) {
        if (!trees[i].linked) {
          continue;
        }
        const auto& link = forest_.links[at[i]];
        const auto index = link.feature + (link.missing_left ? missing_left_ : 0);
        const auto next = link.left + static_cast<std::uint32_t>(codes.of[index] > link.cut + 128);
        moved |= next != at[i];
        at[i] = next;
      }
    }
    for (std::size_t i = 0; i < count; ++i) {
      at[i] = trees[i].linked ? forest_.link_exits[at[i]] : at[i];
    }
  }

  byte_forest forest_;
  const byte_functions& functions_;
  std::string reason_;
  std::vector<byte_heap> heaps_;            ///< of the trees, into the forest
  std::vector<std::uint8_t> common_depths_; ///< of each trees_at_once trees: levels that all of them have
  std::size_t tile_rows_;
  std::size_t missing_left_; ///< places of the second codes of a single row behind the first
};

const byte_functions* functions_of(instruction_set set) {
#if defined(__x86_64__)
  switch (set) {
  case instruction_set::avx512_vbmi:
    return &byte_functions_avx512_vbmi;
  case instruction_set::avx512:
    return &byte_functions_avx512;
  case instruction_set::avx2:
    return &byte_functions_avx2;
  case instruction_set::portable:
    break;
  }
#endif
  (void)set;
  return nullptr;
}

std::string reason_of(const byte_forest& forest, std::string_view why_no_faster) {
  auto reason = fmt::format("depth {}, {} features, at most {} thresholds for one", forest.deepest, forest.features,
                            forest.most_thresholds_of_a_feature);
  unsigned shallowest = deepest_byte_heap;
  for (const auto& tree : forest.trees) {
    shallowest = tree.linked ? std::min<unsigned>(shallowest, tree.depth) : shallowest;
  }
  if (!forest.links.empty()) {
    reason += fmt::format("; levels from {} on by links", shallowest);
  }
  return why_no_faster.empty() ? reason : fmt::format("{}; {}", reason, why_no_faster);
}

} // namespace

result<std::unique_ptr<forest_kernel>> make_byte_kernel(const forest& forest, instruction_set set,
                                                        std::string_view why_no_faster) {
  const auto* functions = functions_of(set);
  if (functions == nullptr || set > supported_instructions()) {
    return fail(errc::failed, "there are no loops for {}", name_of(set));
  }
  auto bytes = byte_forest::make(forest);
  if (!bytes) {
    return bytes.error();
  }
  auto reason = reason_of(*bytes, why_no_faster);
  return std::unique_ptr<forest_kernel>(
      std::make_unique<byte_kernel>(*std::move(bytes), *functions, std::move(reason)));
}

} // namespace penstock::ml
