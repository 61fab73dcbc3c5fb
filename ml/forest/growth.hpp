// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ml/forest/binner.hpp"
#include "ml/forest/forest.hpp"
#include "ml/forest/forest_random.hpp"

#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace penstock::ml {

/// What bounds the growth of a tree. Numbers of samples count bootstrap draws: a row drawn twice counts twice.
struct growth_limits {
  std::uint32_t max_depth = 0;
  std::uint32_t min_samples_split = 2;
  std::uint32_t min_samples_leaf = 1;
  std::size_t max_features = 0; ///< looked at per split; further ones only while none of them splits
};

/// The data of a training as growers see it. A classification of two classes is a regression of the second class's
/// share: Gini impurity and squared error order its splits alike.
struct growth_data {
  static constexpr std::size_t max_rows = (std::size_t{1} << 24) - 1;

  binned_features features;
  std::vector<std::uint16_t> target; ///< decides the splits: fixed point 0 … 65535 over the range, or a class number
  std::vector<float> deviation;      ///< makes the leaves: the target in the forest's unit (see `forest`)
  std::size_t classes = 0;           ///< more than two: see `class_tree_grower`
};

/// Sum of targets and number of samples in one word, `sum << 24 | samples`: both are exact, and adding words adds both.
using cell = std::uint64_t;
inline constexpr unsigned sample_bits = 24;

[[nodiscard]] constexpr cell cell_of(std::uint64_t samples, std::uint64_t target) {
  return (samples * target) << sample_bits | samples;
}
[[nodiscard]] constexpr std::uint64_t samples_of(cell of) {
  return of & ((std::uint64_t{1} << sample_bits) - 1);
}
[[nodiscard]] constexpr std::uint64_t sum_of(cell of) {
  return of >> sample_bits;
}

/// A row's share of a cell in 32 bits, `sum << 8 | samples`, of at most 255 samples; it adds up to as many.
[[nodiscard]] constexpr cell cell_of_payload(std::uint32_t payload) {
  return std::uint64_t{payload >> 8} << sample_bits | (payload & 255);
}

/// gain = (n·S_left − S·n_left)² / (n_left · n_right) of a candidate split, which orders the candidates of a node as
/// the reduction of squared error does. The difference is an exact integer (below 2⁶² for 2²⁴ samples of 16 bits), then
/// rounded to float32; every kernel rounds in these places and no others.
/// @param left  samples on the left side; neither they nor the rest of `all` are none
[[nodiscard]] inline float split_gain(cell all, cell left) {
  const auto n_left = samples_of(left);
  const auto n_right = samples_of(all) - n_left;
  // The two products may wrap; their difference does not leave 63 bits.
  const auto difference = static_cast<std::int64_t>(samples_of(all) * sum_of(left) - sum_of(all) * n_left);
  const auto rounded = static_cast<float>(difference);
  return rounded * rounded / (static_cast<float>(n_left) * static_cast<float>(n_right));
}

/// A chosen or possible split of a node.
struct split {
  float gain = 0; ///< 0 = none
  std::uint16_t feature = 0;
  std::uint8_t bin = 0;      ///< codes <= bin go left
  bool missing_left = false; ///< and code 255 with them
  cell left = 0;

  /// Whether this one is taken rather than `other`, which has no lower bin of the same feature.
  [[nodiscard]] bool beats(const split& other) const {
    return gain > other.gain || (gain == other.gain && gain > 0 && feature < other.feature);
  }

  /// Whether a row with this code of the feature goes left. Code 255 wraps around to 0 when missing values do.
  [[nodiscard]] bool goes_left(std::uint8_t code) const {
    const auto shift = missing_left ? 1U : 0U;
    return static_cast<std::uint8_t>(code + shift) <= static_cast<std::uint8_t>(bin + shift);
  }
};

/// A tree, and what the splits by each feature gained: the decreases of impurity times the nodes' samples.
struct grown_tree {
  explicit grown_tree(std::size_t features = 0) : nodes(1), decrease(features) {}

  tree_nodes nodes; ///< at first the root alone
  std::vector<double> decrease;
  std::vector<float> values; ///< of wide leaves, as `forest::values`, but the tree's own
};

/// A node that is to be split or to become a leaf.
struct open_node {
  std::uint32_t index = 0; ///< in the tree
  std::uint32_t depth = 0;
  cell all = 0;
  std::uint64_t key = 0;

  [[nodiscard]] bool may_split(const growth_limits& limits) const {
    const auto samples = samples_of(all);
    return depth < limits.max_depth && samples >= limits.min_samples_split &&
           samples >= 2 * std::uint64_t{limits.min_samples_leaf};
  }
};

/// Makes an inner node of `node`, with two new nodes for its children: left, right.
[[nodiscard]] std::pair<open_node, open_node> add_split(const open_node& node, const split& at,
                                                        const binned_features& features, grown_tree& grown);

/// What a row adds to the sum of its leaf. @param payload  see `cell_of_payload`
[[nodiscard]] inline double leaf_share(std::uint32_t payload, float deviation) {
  return static_cast<double>(payload & 255) * static_cast<double>(deviation);
}

/// Makes a leaf of a node: the mean over its samples of what its rows add.
inline void set_leaf(const open_node& node, double sum, grown_tree& grown) {
  grown.nodes[node.index].number = static_cast<float>(sum / static_cast<double>(samples_of(node.all)));
}

/// The features that a node looks at: all, or as many as are wanted, drawn by its key; further ones only while none of
/// them splits.
class feature_choice {
public:
  feature_choice(std::size_t features, std::size_t wanted) : wanted_(wanted), order_(features) {}

  [[nodiscard]] bool all() const { return wanted_ >= order_.size(); }

  /// @param look  called with one feature after the other; says whether a split has been found by now
  template <class Look>
  void draw(std::uint64_t node_key, Look look) {
    std::iota(order_.begin(), order_.end(), 0U);
    random_stream random(node_key);
    bool found = false;
    for (std::size_t i = 0; i < order_.size() && (i < wanted_ || !found); ++i) {
      std::swap(order_[i], order_[i + random.below(order_.size() - i)]);
      found = look(order_[i]);
    }
  }

private:
  std::size_t wanted_;
  std::vector<std::uint32_t> order_;
};

} // namespace penstock::ml
