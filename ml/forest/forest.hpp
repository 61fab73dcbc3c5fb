// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace penstock::ml {

/// A node of a tree. An inner node has two children that both stand behind it in the tree; a leaf has none.
struct tree_node {
  std::uint32_t left = 0;  ///< 0 = leaf
  std::uint32_t right = 0; ///< of a leaf in a forest of wide leaves: which row of `forest::values` is its own
  std::uint16_t feature = 0;
  bool missing_left = false; ///< where a row whose feature is NaN goes
  float number = 0; ///< threshold (x <= threshold goes left; +inf: every number goes left), or the leaf's only value

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
/// whatever the target's own magnitude. The leaves of a classification are shares of classes (offset 0, scale 1): one
/// value, the share of the second class, when there are two classes, else one for each class.
struct forest {
  static constexpr std::size_t max_features = 32767;
  static constexpr std::size_t max_leaf_width = 1024;

  std::size_t features = 0;
  std::size_t leaf_width = 1; ///< values of a leaf
  double offset = 0;
  double scale = 1;
  std::vector<tree_nodes> trees;
  std::vector<float> values; ///< leaves×leaf_width, row-major, of wide leaves (leaf_width > 1) only

  /// The values of a leaf of this forest, `leaf_width` of them.
  [[nodiscard]] const float* values_of(const tree_node& leaf) const {
    return leaf_width == 1 ? &leaf.number : values.data() + leaf.right * leaf_width;
  }
};

/// What turns the sum of a row's leaves into its prediction.
struct leaf_mean {
  double offset = 0;
  double scale = 1;
  double trees = 1;

  explicit leaf_mean(const forest& of)
      : offset(of.offset), scale(of.scale), trees(static_cast<double>(of.trees.size())) {}
  [[nodiscard]] double operator()(float leaf_sum) const {
    return offset + scale * static_cast<double>(leaf_sum) / trees;
  }
};

/// Edges on the longest path from the root to a leaf.
[[nodiscard]] unsigned depth_of(const tree_nodes& tree);

/// The canonical form of a forest: a head, then its trees, each with its nodes in pre-order, so that it does not depend
/// on the order of growth.
void encode_head(const forest& forest, byte_writer& to);
/// @param values  of wide leaves, as `forest::values`
[[nodiscard]] std::string encode_tree(const tree_nodes& tree, const float* values, std::size_t leaf_width);

/// Reads this form for a forest of this leaf width out of untrusted bytes, to their end. `errc::invalid` for
/// anything that is not a well-formed forest. Pre-order has no links, so that a cycle cannot be written down.
[[nodiscard]] result<forest> decode_forest(std::string_view bytes, std::size_t leaf_width = 1);

} // namespace penstock::ml
