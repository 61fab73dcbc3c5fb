// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/class_tree_grower.hpp"

#include <algorithm>
#include <tuple>

namespace penstock::ml {

namespace {

constexpr std::size_t codes = 256;

} // namespace

class_tree_grower::class_tree_grower(const growth_data& data, const growth_limits& limits, const bootstrap& samples)
    : data_(data), limits_(limits), bootstrap_(samples), choice_(data.features.features, limits.max_features),
      drawn_(data.features.rows), rows_(data.features.rows), to_right_(data.features.rows), in_node_(data.classes),
      in_bins_(codes * data.classes) {}

std::size_t class_tree_grower::memory(std::size_t rows, std::size_t features, std::size_t classes) {
  return rows * 3 * sizeof(std::uint32_t) + features * sizeof(std::uint32_t) +
         (codes + 1) * classes * sizeof(std::uint32_t);
}

std::optional<grown_tree> class_tree_grower::grow(std::uint64_t tree_key, const training_control& control) {
  grown_tree grown(data_.features.features);
  bootstrap_.sample(tree_key, drawn_);
  pending_node root;
  root.at.key = root_key(tree_key);
  for (std::uint32_t row = 0; row < drawn_.size(); ++row) {
    rows_[root.end] = row;
    root.end += drawn_[row] != 0;
    root.at.all += drawn_[row];
  }
  pending_.assign(1, root);
  while (!pending_.empty()) {
    if (control.is_cancelled()) {
      return {};
    }
    const auto node = pending_.back();
    pending_.pop_back();
    count_classes(node);
    const auto best = node.at.may_split(limits_) ? best_split(node) : split{};
    if (best.gain == 0) {
      make_leaf(node, grown);
      continue;
    }
    const auto border = partition(node, best);
    pending_node left;
    pending_node right;
    std::tie(left.at, right.at) = add_split(node.at, best, data_.features, grown);
    left.begin = node.begin;
    left.end = right.begin = border;
    right.end = node.end;
    pending_.push_back(left);
    pending_.push_back(right);
  }
  return grown;
}

split class_tree_grower::best_split(const pending_node& node) {
  split best;
  if (choice_.all()) {
    for (std::size_t feature = 0; feature < data_.features.features; ++feature) {
      look_at(node, feature, best);
    }
  } else {
    choice_.draw(node.at.key, [&](std::size_t feature) {
      look_at(node, feature, best);
      return best.gain > 0;
    });
  }
  return best;
}

void class_tree_grower::look_at(const pending_node& node, std::size_t feature, split& best) {
  const auto classes = data_.classes;
  std::fill(in_bins_.begin(), in_bins_.end(), 0);
  for (auto i = node.begin; i < node.end; ++i) {
    in_bins_[data_.features.row(rows_[i])[feature] * classes + data_.target[rows_[i]]] += drawn_[rows_[i]];
  }
  const auto* missing = in_bins_.data() + missing_code * classes;
  const bool any_missing = std::any_of(missing, missing + classes, [](auto count) { return count != 0; });
  split found;
  found.feature = static_cast<std::uint16_t>(feature);
  counts left(classes);
  counts with_missing(classes);
  for (std::size_t bin = 0; bin <= data_.features.cuts[feature].size(); ++bin) {
    const auto* here = in_bins_.data() + bin * classes;
    if (std::all_of(here, here + classes, [](auto count) { return count == 0; })) {
      continue; // divides the node as the bin before does
    }
    for (std::size_t k = 0; k < classes; ++k) {
      left[k] += here[k];
      with_missing[k] = left[k] + missing[k];
    }
    split candidate;
    candidate.feature = found.feature;
    candidate.bin = static_cast<std::uint8_t>(bin);
    if (any_missing) {
      candidate.missing_left = true;
      consider(node, candidate, with_missing, found);
    }
    candidate.missing_left = false;
    consider(node, candidate, left, found);
  }
  if (found.beats(best)) {
    best = found;
    best.missing_left = any_missing ? found.missing_left : 2 * best.left >= node.at.all;
  }
}

void class_tree_grower::consider(const pending_node& node, split candidate, const counts& left, split& best) const {
  const auto all = samples_of(node.at.all);
  std::uint64_t n_left = 0;
  for (auto count : left) {
    n_left += count;
  }
  if (n_left == all || n_left < limits_.min_samples_leaf || all - n_left < limits_.min_samples_leaf) {
    return;
  }
  for (std::size_t k = 0; k < left.size(); ++k) {
    candidate.gain +=
        split_gain(std::uint64_t{in_node_[k]} << sample_bits | all, std::uint64_t{left[k]} << sample_bits | n_left);
  }
  candidate.left = n_left;
  if (candidate.gain > best.gain) {
    best = candidate;
  }
}

std::uint32_t class_tree_grower::partition(const pending_node& node, const split& at) {
  auto left = node.begin;
  std::uint32_t right = 0;
  for (auto i = node.begin; i < node.end; ++i) {
    const auto row = rows_[i];
    const bool goes_left = at.goes_left(data_.features.row(row)[at.feature]);
    rows_[left] = to_right_[right] = row;
    left += goes_left;
    right += !goes_left;
  }
  std::copy_n(to_right_.begin(), right, rows_.begin() + left);
  return left;
}

void class_tree_grower::count_classes(const pending_node& node) {
  std::fill(in_node_.begin(), in_node_.end(), 0);
  for (auto i = node.begin; i < node.end; ++i) {
    in_node_[data_.target[rows_[i]]] += drawn_[rows_[i]];
  }
}

void class_tree_grower::make_leaf(const pending_node& node, grown_tree& grown) {
  grown.nodes[node.at.index].right = static_cast<std::uint32_t>(grown.values.size() / data_.classes);
  for (auto count : in_node_) {
    grown.values.push_back(static_cast<float>(static_cast<double>(count) / static_cast<double>(node.at.all)));
  }
}

} // namespace penstock::ml
