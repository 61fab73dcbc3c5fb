// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/forest_kernel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace penstock::ml {

namespace {

constexpr std::size_t lanes = 16;  ///< rows (or trees) that go down at the same time, to hide the latency of loads
constexpr std::size_t chunk = 256; ///< rows per pass over the trees: their sums and features stay in the first cache

bool any_missing(const float* values, std::size_t count) {
  bool missing = false;
  for (std::size_t i = 0; i < count; ++i) {
    missing |= std::isnan(values[i]);
  }
  return missing;
}

/// What these kernels share: walking over the rows. `Layout` says how a lane starts, steps and ends:
///
///     std::uint32_t start(tree), step<Missing>(tree, at, row) → at, const float* leaf(tree, at), unsigned levels(tree)
template <class Layout>
class layout_kernel : public forest_kernel {
public:
  layout_kernel(Layout layout, const forest& from, kernel_description description)
      : layout_(std::move(layout)), features_(from.features), trees_(from.trees.size()), leaf_width_(from.leaf_width),
        description_(std::move(description)) {}

  void sum_leaves(const float* rows, std::size_t count, float* sums) const override {
    std::fill_n(sums, count * leaf_width_, 0.0F);
    for (std::size_t first = 0; first < count; first += chunk) {
      const auto some = std::min(chunk, count - first);
      const auto* values = rows + first * features_;
      if (any_missing(values, some * features_)) {
        sum_chunk<true>(values, some, sums + first * leaf_width_);
      } else {
        sum_chunk<false>(values, some, sums + first * leaf_width_);
      }
    }
  }

  kernel_description description() const override { return description_; }
  std::size_t memory() const override { return sizeof(*this) + layout_.memory(); }

private:
  template <bool Missing>
  void sum_chunk(const float* rows, std::size_t count, float* sums) const {
    const auto whole = count - count % lanes;
    if (whole != 0) {
      for (std::size_t tree = 0; tree < trees_; ++tree) {
        for (std::size_t row = 0; row < whole; row += lanes) {
          add_rows<Missing>(tree, rows + row * features_, sums + row * leaf_width_);
        }
      }
    }
    for (std::size_t row = whole; row < count; ++row) {
      sum_row<Missing>(rows + row * features_, sums + row * leaf_width_);
    }
  }

  void add(const float* leaf, float* sums) const {
    sums[0] += leaf[0];
    for (std::size_t i = 1; i < leaf_width_; ++i) {
      sums[i] += leaf[i];
    }
  }

  /// One tree, many rows.
  template <bool Missing>
  void add_rows(std::size_t tree, const float* rows, float* sums) const {
    std::array<std::uint32_t, lanes> at;
    at.fill(layout_.start(tree));
    for (unsigned level = layout_.levels(tree); level != 0; --level) {
#pragma GCC unroll 16
      for (std::size_t lane = 0; lane < lanes; ++lane) {
        at[lane] = layout_.template step<Missing>(tree, at[lane], rows + lane * features_);
      }
    }
#pragma GCC unroll 16
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      add(layout_.leaf(tree, at[lane]), sums + lane * leaf_width_);
    }
  }

  /// One row, many trees. The leaves are added one by one in the order of the trees, as everywhere.
  template <bool Missing>
  void sum_row(const float* row, float* sums) const {
    std::size_t tree = 0;
    for (; tree + lanes <= trees_; tree += lanes) {
      std::array<std::uint32_t, lanes> at;
      unsigned levels = 0;
      for (std::size_t lane = 0; lane < lanes; ++lane) {
        at[lane] = layout_.start(tree + lane);
        levels = std::max(levels, layout_.levels(tree + lane));
      }
      for (; levels != 0; --levels) {
#pragma GCC unroll 16
        for (std::size_t lane = 0; lane < lanes; ++lane) {
          at[lane] = layout_.template step<Missing>(tree + lane, at[lane], row);
        }
      }
      for (std::size_t lane = 0; lane < lanes; ++lane) {
        add(layout_.leaf(tree + lane, at[lane]), sums);
      }
    }
    for (; tree < trees_; ++tree) {
      auto at = layout_.start(tree);
      for (unsigned level = layout_.levels(tree); level != 0; --level) {
        at = layout_.template step<Missing>(tree, at, row);
      }
      add(layout_.leaf(tree, at), sums);
    }
  }

  Layout layout_;
  std::size_t features_;
  std::size_t trees_;
  std::size_t leaf_width_;
  kernel_description description_;
};

/// The values of the leaves: the leaf's own number, or rows of the forest's table.
class leaf_table {
public:
  leaf_table(const forest& from, std::size_t leaves)
      : width_(from.leaf_width), numbers_(width_ == 1 ? leaves : 0), rows_(width_ == 1 ? 0 : leaves),
        values_(from.values) {}

  void set(std::size_t leaf, const tree_node& node) {
    if (width_ == 1) {
      numbers_[leaf] = node.number;
    } else {
      rows_[leaf] = node.right;
    }
  }
  const float* at(std::size_t leaf) const {
    return width_ == 1 ? &numbers_[leaf] : values_.data() + rows_[leaf] * width_;
  }
  std::size_t memory() const {
    return (numbers_.size() + values_.size()) * sizeof(float) + rows_.size() * sizeof(std::uint32_t);
  }

private:
  std::size_t width_;
  std::vector<float> numbers_;
  std::vector<std::uint32_t> rows_;
  std::vector<float> values_;
};

struct test_slot {
  float threshold = std::numeric_limits<float>::infinity();
  std::uint32_t feature = 0;
};

/// NaN fails every comparison: it goes right unless the node sends missing values left.
template <bool Missing>
std::uint32_t goes_right(float value, float threshold, [[maybe_unused]] bool missing_left) {
  if constexpr (Missing) {
    return static_cast<std::uint32_t>(!(value <= threshold) && !(missing_left && std::isnan(value)));
  } else {
    return static_cast<std::uint32_t>(value > threshold);
  }
}

class heap_layout {
public:
  heap_layout(const forest& from, unsigned depth)
      : depth_(depth), inner_((std::uint32_t{1} << depth) - 1), tests_(from.trees.size() * inner_),
        missing_left_(tests_.size()), leaves_(from, from.trees.size() * (inner_ + 1)) {
    for (std::size_t t = 0; t < from.trees.size(); ++t) {
      fill(t, from.trees[t]);
    }
  }

  static std::uint32_t start(std::size_t) { return 0; }
  unsigned levels(std::size_t) const { return depth_; }

  template <bool Missing>
  std::uint32_t step(std::size_t tree, std::uint32_t at, const float* row) const {
    const auto* slot = tests_.data() + tree * inner_ + at;
    const bool left = Missing && missing_left_[tree * inner_ + at] != 0;
    return 2 * at + 1 + goes_right<Missing>(row[slot->feature], slot->threshold, left);
  }

  const float* leaf(std::size_t tree, std::uint32_t at) const { return leaves_.at(tree * (inner_ + 1) + at - inner_); }

  std::size_t memory() const { return tests_.size() * sizeof(test_slot) + missing_left_.size() + leaves_.memory(); }

private:
  /// A leaf above the last level fills every slot below it with its value; which way a row takes there is all the same.
  void fill(std::size_t t, const tree_nodes& from) {
    struct place {
      std::uint32_t node, slot;
    };
    std::vector<place> pending{{0, 0}};
    while (!pending.empty()) {
      const auto [node, slot] = pending.back();
      pending.pop_back();
      const auto& source = from[node];
      if (slot >= inner_) {
        leaves_.set(t * (inner_ + 1) + slot - inner_, source);
        continue;
      }
      if (!source.is_leaf()) {
        tests_[t * inner_ + slot] = {source.number, source.feature};
        missing_left_[t * inner_ + slot] = source.missing_left;
      }
      pending.push_back({source.is_leaf() ? node : source.right, 2 * slot + 2});
      pending.push_back({source.is_leaf() ? node : source.left, 2 * slot + 1});
    }
  }

  unsigned depth_;
  std::uint32_t inner_;
  std::vector<test_slot> tests_;
  std::vector<std::uint8_t> missing_left_;
  leaf_table leaves_;
};

class linked_layout {
public:
  explicit linked_layout(const forest& from) : width_(from.leaf_width), values_(from.values) {
    for (const auto& tree : from.trees) {
      roots_.push_back({static_cast<std::uint32_t>(nodes_.size()), depth_of(tree)});
      append(tree);
    }
  }

  std::uint32_t start(std::size_t tree) const { return roots_[tree].node; }
  unsigned levels(std::size_t tree) const { return roots_[tree].depth; }

  template <bool Missing>
  std::uint32_t step(std::size_t, std::uint32_t at, const float* row) const {
    const auto& node = nodes_[at];
    const bool missing_left = (node.feature & missing_left_bit) != 0;
    return node.left + goes_right<Missing>(row[node.feature & ~missing_left_bit], node.threshold, missing_left);
  }

  const float* leaf(std::size_t, std::uint32_t at) const {
    return width_ == 1 ? &nodes_[at].number : values_.data() + nodes_[at].values * width_;
  }

  std::size_t memory() const {
    return nodes_.size() * sizeof(linked_node) + roots_.size() * sizeof(root) + values_.size() * sizeof(float);
  }

private:
  static constexpr std::uint32_t missing_left_bit = std::uint32_t{1} << 31;

  struct linked_node {
    float threshold = std::numeric_limits<float>::infinity();
    std::uint32_t feature = missing_left_bit; ///< of a leaf: every value, missing or not, goes left, which is the leaf
    std::uint32_t left = 0;                   ///< the right child is the next one
    union {
      float number = 0;     ///< of a leaf of width 1
      std::uint32_t values; ///< of a wider leaf: its row of the values
    };
  };
  struct root {
    std::uint32_t node;
    unsigned depth;
  };

  void append(const tree_nodes& from) {
    struct place {
      std::uint32_t node, at;
    };
    std::vector<place> pending{{0, static_cast<std::uint32_t>(nodes_.size())}};
    nodes_.emplace_back();
    for (std::size_t next = 0; next < pending.size(); ++next) {
      const auto [node, at] = pending[next];
      const auto& source = from[node];
      if (source.is_leaf()) {
        nodes_[at].left = at;
        if (width_ == 1) {
          nodes_[at].number = source.number;
        } else {
          nodes_[at].values = source.right;
        }
        continue;
      }
      const auto left = static_cast<std::uint32_t>(nodes_.size());
      nodes_[at] = {source.number, source.feature | (source.missing_left ? missing_left_bit : 0), left, {0}};
      nodes_.resize(nodes_.size() + 2);
      pending.push_back({source.left, left});
      pending.push_back({source.right, left + 1});
    }
  }

  std::size_t width_;
  std::vector<float> values_;
  std::vector<linked_node> nodes_;
  std::vector<root> roots_;
};

} // namespace

std::unique_ptr<forest_kernel> make_heap_kernel(const forest& forest, std::string_view why_no_faster) {
  unsigned depth = 0;
  std::size_t nodes = 0;
  for (const auto& tree : forest.trees) {
    depth = std::max(depth, depth_of(tree));
    nodes += tree.size();
  }
  constexpr unsigned deepest = 20;
  if (depth > deepest || (forest.trees.size() << (depth + 1)) > 4 * nodes) {
    return nullptr;
  }
  return std::make_unique<layout_kernel<heap_layout>>(
      heap_layout(forest, depth), forest,
      kernel_description{"heap", fmt::format("depth {}, well filled; {}", depth, why_no_faster)});
}

std::unique_ptr<forest_kernel> make_linked_kernel(const forest& forest, std::string_view why_no_faster) {
  return std::make_unique<layout_kernel<linked_layout>>(
      linked_layout(forest), forest, kernel_description{"linked", fmt::format("any shape; {}", why_no_faster)});
}

} // namespace penstock::ml
