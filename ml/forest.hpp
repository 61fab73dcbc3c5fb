// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <vector>

namespace penstock::ml {

/// A node of a regression tree. An inner node has two children that both stand behind it in the tree; a leaf has none.
struct tree_node {
  std::uint32_t left = 0; ///< 0 = leaf
  std::uint32_t right = 0;
  std::uint16_t feature = 0;
  bool missing_left = false; ///< where a row whose feature is NaN goes
  float number = 0; ///< threshold (x <= threshold goes left; +inf: every number goes left), or the leaf's value

  [[nodiscard]] bool is_leaf() const { return left == 0; }
};

/// Nodes, the root first.
using tree_nodes = std::vector<tree_node>;

/// A forest as data, without the means to predict. The prediction for a row is
///
///     offset + scale · (leaf of tree 0 + leaf of tree 1 + …) / number of trees
///
/// where the leaves are float32 and summed as float32 in the order of the trees, and the rest is float64. Leaves are
/// deviations from `offset` in units of `scale` (a power of two), so that float32 keeps seven digits of the deviation
/// whatever the target's own magnitude.
struct forest {
  static constexpr std::size_t max_features = 32767;

  std::size_t features = 0;
  double offset = 0;
  double scale = 1;
  std::vector<tree_nodes> trees;

  [[nodiscard]] double predict_from(float leaf_sum) const {
    return offset + scale * static_cast<double>(leaf_sum) / static_cast<double>(trees.size());
  }
};

/// Edges on the longest path from the root to a leaf.
[[nodiscard]] unsigned depth_of(const tree_nodes& tree);

/// Appends a forest in its canonical form (nodes in pre-order), which does not depend on the order of growth.
void encode(const forest& forest, byte_writer& to);

/// Reads what `encode` wrote out of untrusted bytes, to their end. `errc::invalid` for anything that is not a
/// well-formed forest. Pre-order has no links, so that a cycle cannot be written down.
[[nodiscard]] result<forest> decode_forest(std::string_view bytes);

} // namespace penstock::ml
