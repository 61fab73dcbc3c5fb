// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ml/forest/bootstrap.hpp"
#include "ml/forest/growth.hpp"
#include "ml/learner.hpp"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace penstock::ml {

/// Grows classification trees of three or more classes by the rules of `tree_grower`, with Gini impurity: the gain of a
/// split is the sum of `split_gain` over the classes in their order, each taken as a target of 0 or 1, added in
/// float32. (n·G − n_left·G_left − n_right·G_right is that sum divided by n.) A leaf's values are the shares of the
/// classes.
///
/// Counts a histogram for each node and feature it looks at; two classes have the faster `tree_grower`.
class class_tree_grower {
public:
  /// All outlive the grower.
  class_tree_grower(const growth_data& data, const growth_limits& limits, const bootstrap& samples);

  /// Nothing when cancelled; looked at once per node.
  [[nodiscard]] std::optional<grown_tree> grow(std::uint64_t tree_key, const training_control& control);

  /// Bytes that a grower allocates, at most, for data of this shape.
  [[nodiscard]] static std::size_t memory(std::size_t rows, std::size_t features, std::size_t classes);

private:
  using counts = std::vector<std::uint32_t>; ///< of each class

  struct pending_node {
    open_node at; ///< `all` counts samples only
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
  };

  [[nodiscard]] split best_split(const pending_node& node);
  void look_at(const pending_node& node, std::size_t feature, split& best);
  void consider(const pending_node& node, split candidate, const counts& left, split& best) const;
  [[nodiscard]] std::uint32_t partition(const pending_node& node, const split& at);
  void count_classes(const pending_node& node);
  void make_leaf(const pending_node& node, grown_tree& grown);

  const growth_data& data_;
  growth_limits limits_;
  const bootstrap& bootstrap_;
  feature_choice choice_;
  counts drawn_;                        ///< of each row
  std::vector<std::uint32_t> rows_;     ///< drawn rows; those of a node stand together, ascending
  std::vector<std::uint32_t> to_right_; ///< scratch of `partition`
  counts in_node_;                      ///< of the node in hand
  counts in_bins_;                      ///< 256×classes, of the feature in hand
  std::vector<pending_node> pending_;
};

} // namespace penstock::ml
