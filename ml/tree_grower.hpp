// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ml/binner.hpp"
#include "ml/forest.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace penstock::ml {

/// What bounds the growth of a tree. Numbers of samples count bootstrap draws: a row drawn twice counts twice.
struct growth_limits {
  std::uint32_t max_depth = 0;
  std::uint32_t min_samples_split = 2;
  std::uint32_t min_samples_leaf = 1;
  std::size_t max_features = 0; ///< looked at per split; further ones only while none of them splits
  bool bootstrap = true;
};

/// The data of a training as growers see it.
struct growth_data {
  static constexpr std::size_t max_rows = (std::size_t{1} << 24) - 1;

  binned_features features;
  std::vector<std::uint16_t> target; ///< fixed point: 0 … 65535 over the range of the target; decides the splits
  std::vector<double> deviation;     ///< the target in the forest's unit (see `forest`); makes the leaves
};

/// Sum of targets and number of samples in one word, `sum << 24 | samples`: both are exact, and adding words adds both.
using cell = std::uint64_t;

/// Samples of a node on one side of a candidate split against all of it.
/// gain = (n·S_left − S·n_left)² / (n_left · n_right), which orders candidates of a node as the reduction of squared
/// error does. The difference is an exact integer (below 2⁶² for 2²⁴ samples of 16 bits), then rounded to float32.
[[nodiscard]] float split_gain(cell all, cell left);

/// Grows one tree after the other from the same data; one grower per thread. A tree is a function of data, limits and
/// key alone. At each node the split with the greatest gain is taken, among equals that of the lowest feature, then the
/// lowest bin, then with missing values on the left; without missing values in the node these later go to the side with
/// more samples (left when equal). A node without a split of positive gain is a leaf; its value is the mean deviation
/// of its samples, summed in float64 in ascending order of rows.
class tree_grower {
public:
  /// Both outlive the grower.
  tree_grower(const growth_data& data, const growth_limits& limits);

  /// Nothing when cancelled; looked at once per node.
  [[nodiscard]] std::optional<tree_nodes> grow(std::uint64_t tree_key, const training_control& control);

private:
  using histogram = std::vector<cell>; ///< features × 256 cells

  struct pending_node {
    std::uint32_t node = 0;
    std::uint32_t begin = 0; ///< rows_[begin, end)
    std::uint32_t end = 0;
    std::uint32_t depth = 0;
    cell all = 0;
    std::uint64_t key = 0;
    histogram cells;
  };
  struct split {
    float gain = 0;
    std::uint16_t feature = 0;
    std::uint8_t bin = 0;
    bool missing_left = false;
    cell left = 0;
  };

  void draw_samples(std::uint64_t key);
  [[nodiscard]] pending_node root(std::uint64_t key) const;
  [[nodiscard]] bool may_split(const pending_node& node) const;
  [[nodiscard]] split best_split(const pending_node& node);
  void scan_feature(const pending_node& node, std::size_t feature, split& best) const;
  void consider(const pending_node& node, split candidate, split& best) const;
  void divide(pending_node node, const split& at, tree_nodes& grown);
  [[nodiscard]] std::uint32_t partition(const pending_node& node, const split& at);
  void fill_histograms(pending_node&& parent, pending_node& left, pending_node& right);
  void count(const pending_node& node, histogram& cells) const;
  [[nodiscard]] float leaf_value(const pending_node& node) const;
  [[nodiscard]] float threshold(const split& at) const;
  [[nodiscard]] histogram spare_histogram();

  const growth_data& data_;
  growth_limits limits_;
  std::vector<cell> samples_;           ///< per row: its weighted target and weight in this tree's bootstrap
  std::vector<std::uint32_t> rows_;     ///< drawn rows; those of a node stand together, ascending
  std::vector<std::uint32_t> to_right_; ///< scratch of `partition`
  std::vector<std::uint32_t> order_;    ///< scratch: features in the order in which a node looks at them
  std::vector<pending_node> pending_;
  std::vector<histogram> spare_;
};

} // namespace penstock::ml
