// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/cpu.hpp"
#include "ml/forest/bootstrap.hpp"
#include "ml/forest/forest.hpp"
#include "ml/forest/growth.hpp"
#include "ml/forest/split_kernels.hpp"
#include "ml/forest/subtree_grower.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace penstock::ml {

/// Room for sampled rows. To make more room throws away what it holds.
class sample_memory {
public:
  explicit sample_memory(std::size_t stride) : stride_(stride) {}

  void reserve(std::size_t rows);
  /// The rows from `first` on.
  [[nodiscard]] sampled_rows from(std::size_t first) {
    return {codes_.data() + first * stride_, payloads_.data() + first, deviations_.data() + first, stride_};
  }

private:
  std::size_t stride_;
  std::vector<std::uint8_t> codes_;
  std::vector<std::uint32_t> payloads_;
  std::vector<float> deviations_;
};

/// The inner loops that a grower uses for its nodes of more than 255 samples.
struct large_kernels {
  scan_function* scan;
  divide_function* divide;
  subtract_function* subtract;
  draw_function* draw;
  gather_function* gather;
};

/// Grows one tree after the other from the same data; one grower per thread. A tree is a function of data, limits and
/// key alone. At each node the split with the greatest gain is taken, among equals that of the lowest feature, then the
/// lowest bin, then with missing values on the left; without missing values in the node these later go to the side with
/// more samples (left when equal). A node without a split of positive gain is a leaf; its value is the mean deviation
/// of its samples, summed in float64 in ascending order of rows.
///
/// Nodes of more than 255 samples are split by histograms, of which a child's is its parent's less its sibling's; below
/// that a `subtree_grower` takes over, whose lists cost as much as there are rows, not bins. Where the one ends and the
/// other begins changes no tree.
class tree_grower {
public:
  /// All outlive the grower.
  tree_grower(const growth_data& data, const growth_limits& limits, const bootstrap& samples,
              instruction_set instructions);

  /// Nothing when cancelled; looked at once per large node.
  [[nodiscard]] std::optional<grown_tree> grow(std::uint64_t tree_key, const training_control& control);

  /// Bytes that a grower allocates, at most, for data of this shape and samples of so many different rows.
  [[nodiscard]] static std::size_t memory(std::size_t rows, std::size_t drawn, std::size_t features);

private:
  using histogram = std::vector<cell>; ///< groups × 256 codes × 8 features

  struct pending_node {
    open_node at;
    std::uint32_t begin = 0; ///< sample_[begin, end)
    std::uint32_t end = 0;
    histogram cells; ///< empty: a leaf, or small
    split best;      ///< of a node with a histogram
  };

  void start(std::uint64_t key);
  void gather_heavy(std::uint64_t key, pending_node& root);
  void grow_node(pending_node node, grown_tree& grown);
  [[nodiscard]] sampled_rows rows_of(const pending_node& node) { return sample_.from(node.begin); }
  [[nodiscard]] bool is_small(const open_node& node) const { return samples_of(node.all) <= most_sorted_samples; }
  [[nodiscard]] split best_split(const pending_node& node);
  void complete(const pending_node& node, split& best) const;
  void scan_group(const pending_node& node, std::size_t group);
  void scan_missing(const pending_node& node, std::size_t feature);
  void divide(pending_node node, grown_tree& grown);
  [[nodiscard]] std::uint32_t partition(const pending_node& node, const question& asked);
  void fill_histograms(pending_node&& parent, pending_node& left, pending_node& right);
  void count(const pending_node& node, histogram& cells);
  void take_off(const pending_node& node, histogram& cells);
  void make_leaf(const pending_node& node, grown_tree& grown);
  void make_leaves(const pending_node& parent, const open_node& left, const open_node& right, grown_tree& grown);
  [[nodiscard]] histogram spare_histogram();

  const growth_data& data_;
  growth_limits limits_;
  const bootstrap& bootstrap_;
  const large_kernels& kernels_;
  subtree_grower subtree_;
  feature_choice choice_;
  std::vector<unsigned> group_bins_; ///< of each group: codes that occur
  std::vector<std::uint8_t> counts_; ///< scratch of `start`
  sample_memory sample_;             ///< rows of this tree's sample; those of a node stand together, ascending
  sample_memory rest_;               ///< scratch of `partition`
  std::vector<split> found_;         ///< of each feature of the node in hand
  std::vector<bool> scanned_;        ///< of each group of the node in hand
  std::vector<pending_node> pending_;
  std::vector<histogram> spare_;
  std::size_t expected_nodes_ = 1; ///< of the next tree, by the last one
};

} // namespace penstock::ml
