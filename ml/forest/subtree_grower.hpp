// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/cpu.hpp"
#include "ml/forest/growth.hpp"
#include "ml/forest/split_kernels.hpp"

#include <cstdint>
#include <vector>

namespace penstock::ml {

/// Samples of a node below which it is grown from sorted lists: their number fits a byte, their sum of targets 24 bits.
inline constexpr std::uint64_t most_sorted_samples = 255;

/// Grows the part of a tree below a small node, by the rules of `tree_grower`. Each feature keeps the node's rows
/// sorted by code, and a split divides all the lists; when a node looks at some features only, these are sorted for it
/// and thrown away. A list costs what there are rows, where a histogram costs 255 bins.
class subtree_grower {
public:
  /// Both outlive the grower.
  subtree_grower(const growth_data& data, const growth_limits& limits, instruction_set instructions);

  /// @param rows  `count` of them, of at most 255 samples
  void grow(const open_node& root, const sampled_rows& rows, std::uint32_t count, grown_tree& grown);

  /// Bytes that a grower allocates for so many features.
  [[nodiscard]] static std::size_t memory(std::size_t features) {
    return (3 * sorted_rows::stride + 256) * (features + 8);
  }

private:
  struct pending_node {
    open_node at;
    sorted_node rows{};
  };

  void load(const sampled_rows& rows, std::uint32_t count);
  [[nodiscard]] bool may_split(const pending_node& node) const;
  [[nodiscard]] split best_split(const pending_node& node);
  void look_at_all(const pending_node& node, split& best);
  void look_at(const pending_node& node, unsigned first, unsigned last, split& best);
  void look_at_missing(const pending_node& node, unsigned feature, split& best);
  void divide(const pending_node& node, const split& at, grown_tree& grown);
  void make_leaf(const pending_node& node, grown_tree& grown) const;
  /// The list after those of the features: rows ascending.
  [[nodiscard]] unsigned by_number() const { return lists_.features; }

  const growth_data& data_;
  growth_limits limits_;
  const sorted_kernels& kernels_;
  feature_choice choice_;
  std::vector<std::uint8_t> codes_;
  std::vector<std::uint8_t> order_;
  std::vector<std::uint8_t> sorted_codes_;
  sorted_rows lists_{};
  const float* deviations_ = nullptr; ///< of each row
  std::vector<pending_node> pending_;
};

} // namespace penstock::ml
