// SPDX-License-Identifier: Apache-2.0
#include "ml/tree_grower.hpp"

#include "ml/forest_random.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

namespace penstock::ml {

namespace {

constexpr unsigned sample_bits = 24;
constexpr std::size_t codes = 256;

constexpr std::uint64_t samples_of(cell cell) {
  return cell & ((std::uint64_t{1} << sample_bits) - 1);
}
constexpr std::uint64_t sum_of(cell cell) {
  return cell >> sample_bits;
}

} // namespace

float split_gain(cell all, cell left) {
  const auto n_left = samples_of(left);
  const auto n_right = samples_of(all) - n_left;
  // The two products may wrap; their difference does not leave 63 bits.
  const auto difference = static_cast<std::int64_t>(samples_of(all) * sum_of(left) - sum_of(all) * n_left);
  const auto rounded = static_cast<float>(difference);
  return rounded * rounded / (static_cast<float>(n_left) * static_cast<float>(n_right));
}

tree_grower::tree_grower(const growth_data& data, const growth_limits& limits)
    : data_(data), limits_(limits), samples_(data.features.rows), order_(data.features.features) {
  rows_.reserve(data.features.rows);
  to_right_.resize(data.features.rows);
}

std::optional<tree_nodes> tree_grower::grow(std::uint64_t tree_key, const training_control& control) {
  draw_samples(tree_key);
  tree_nodes grown(1);
  pending_.clear();
  pending_.push_back(root(root_key(tree_key)));
  while (!pending_.empty()) {
    if (control.is_cancelled()) {
      return {};
    }
    auto node = std::move(pending_.back());
    pending_.pop_back();
    const auto best = node.cells.empty() ? split{} : best_split(node);
    if (best.gain > 0) {
      divide(std::move(node), best, grown);
      continue;
    }
    grown[node.node].number = leaf_value(node);
    if (!node.cells.empty()) {
      spare_.push_back(std::move(node.cells));
    }
  }
  return grown;
}

void tree_grower::draw_samples(std::uint64_t key) {
  const auto n = data_.features.rows;
  if (limits_.bootstrap) {
    std::fill(samples_.begin(), samples_.end(), 0);
    random_stream random(key);
    for (std::size_t draw = 0; draw < n; ++draw) {
      ++samples_[random.below(n)];
    }
  } else {
    std::fill(samples_.begin(), samples_.end(), 1);
  }
  rows_.clear();
  for (std::size_t row = 0; row < n; ++row) {
    const auto weight = samples_[row];
    if (weight != 0) {
      samples_[row] = (weight * data_.target[row]) << sample_bits | weight;
      rows_.push_back(static_cast<std::uint32_t>(row));
    }
  }
}

tree_grower::pending_node tree_grower::root(std::uint64_t key) const {
  pending_node root;
  root.end = static_cast<std::uint32_t>(rows_.size());
  root.key = key;
  for (auto row : rows_) {
    root.all += samples_[row];
  }
  if (may_split(root)) {
    root.cells.resize(data_.features.features * codes);
    count(root, root.cells);
  }
  return root;
}

bool tree_grower::may_split(const pending_node& node) const {
  const auto samples = samples_of(node.all);
  return node.end - node.begin >= 2 && node.depth < limits_.max_depth && samples >= limits_.min_samples_split &&
         samples >= 2 * std::uint64_t{limits_.min_samples_leaf};
}

tree_grower::split tree_grower::best_split(const pending_node& node) {
  split best;
  if (limits_.max_features >= order_.size()) {
    for (std::size_t feature = 0; feature < order_.size(); ++feature) {
      scan_feature(node, feature, best);
    }
    return best;
  }
  std::iota(order_.begin(), order_.end(), 0U);
  random_stream random(node.key);
  for (std::size_t i = 0; i < order_.size() && (i < limits_.max_features || best.gain <= 0); ++i) {
    std::swap(order_[i], order_[i + random.below(order_.size() - i)]);
    scan_feature(node, order_[i], best);
  }
  return best;
}

void tree_grower::scan_feature(const pending_node& node, std::size_t feature, split& best) const {
  const auto* cells = node.cells.data() + feature * codes;
  const auto missing = cells[missing_code];
  const auto bins = data_.features.cuts[feature].size() + 1;
  split candidate;
  candidate.feature = static_cast<std::uint16_t>(feature);
  cell left = 0;
  for (std::size_t bin = 0; bin < bins; ++bin) {
    if (cells[bin] == 0) {
      continue; // divides the node as the bin before does
    }
    left += cells[bin];
    candidate.bin = static_cast<std::uint8_t>(bin);
    if (missing == 0) {
      candidate.missing_left = 2 * samples_of(left) >= samples_of(node.all);
      candidate.left = left;
      consider(node, candidate, best);
      continue;
    }
    candidate.missing_left = true;
    candidate.left = left + missing;
    consider(node, candidate, best);
    candidate.missing_left = false;
    candidate.left = left;
    consider(node, candidate, best);
  }
}

void tree_grower::consider(const pending_node& node, split candidate, split& best) const {
  const auto n_left = samples_of(candidate.left);
  const auto n_right = samples_of(node.all) - n_left;
  if (n_right == 0 || n_left < limits_.min_samples_leaf || n_right < limits_.min_samples_leaf) {
    return;
  }
  candidate.gain = split_gain(node.all, candidate.left);
  // Features may come in any order, bins ascend.
  if (candidate.gain > best.gain || (candidate.gain == best.gain && candidate.feature < best.feature)) {
    best = candidate;
  }
}

void tree_grower::divide(pending_node node, const split& at, tree_nodes& grown) {
  const auto border = partition(node, at);
  const auto first_child = static_cast<std::uint32_t>(grown.size());
  grown[node.node] = {first_child, first_child + 1, at.feature, at.missing_left, threshold(at)};
  grown.resize(grown.size() + 2);
  pending_node left{first_child, node.begin, border, node.depth + 1, at.left, left_key(node.key), {}};
  pending_node right{first_child + 1, border, node.end, node.depth + 1, node.all - at.left, right_key(node.key), {}};
  fill_histograms(std::move(node), left, right);
  // The smaller child is grown first, so that the histograms kept for later are at most log2(rows).
  if (left.end - left.begin < right.end - right.begin) {
    std::swap(left, right);
  }
  pending_.push_back(std::move(left));
  pending_.push_back(std::move(right));
}

std::uint32_t tree_grower::partition(const pending_node& node, const split& at) {
  auto left = node.begin;
  std::uint32_t right = 0;
  const auto* column = data_.features.codes.data() + at.feature;
  for (auto i = node.begin; i < node.end; ++i) {
    const auto row = rows_[i];
    const auto code = column[row * data_.features.features];
    const bool goes_left = code <= at.bin || (code == missing_code && at.missing_left);
    rows_[left] = row;
    to_right_[right] = row;
    left += goes_left;
    right += !goes_left;
  }
  std::copy_n(to_right_.begin(), right, rows_.begin() + left);
  return left;
}

void tree_grower::fill_histograms(pending_node&& parent, pending_node& left, pending_node& right) {
  auto* smaller = &left;
  auto* larger = &right;
  if (left.end - left.begin > right.end - right.begin) {
    std::swap(smaller, larger);
  }
  const bool split_smaller = may_split(*smaller);
  const bool split_larger = may_split(*larger);
  if (!split_smaller && !split_larger) {
    spare_.push_back(std::move(parent.cells));
    return;
  }
  auto counted = spare_histogram();
  count(*smaller, counted);
  if (split_larger) {
    for (std::size_t i = 0; i < counted.size(); ++i) {
      parent.cells[i] -= counted[i];
    }
    larger->cells = std::move(parent.cells);
  } else {
    spare_.push_back(std::move(parent.cells));
  }
  if (split_smaller) {
    smaller->cells = std::move(counted);
  } else {
    spare_.push_back(std::move(counted));
  }
}

void tree_grower::count(const pending_node& node, histogram& cells) const {
  std::fill(cells.begin(), cells.end(), 0);
  const auto features = data_.features.features;
  for (auto i = node.begin; i < node.end; ++i) {
    const auto row = rows_[i];
    const auto sample = samples_[row];
    const auto* code = data_.features.row(row);
    for (std::size_t feature = 0; feature < features; ++feature) {
      cells[feature * codes + code[feature]] += sample;
    }
  }
}

float tree_grower::leaf_value(const pending_node& node) const {
  double sum = 0;
  for (auto i = node.begin; i < node.end; ++i) {
    const auto row = rows_[i];
    sum += static_cast<double>(samples_of(samples_[row])) * data_.deviation[row];
  }
  return static_cast<float>(sum / static_cast<double>(samples_of(node.all)));
}

float tree_grower::threshold(const split& at) const {
  const auto& cuts = data_.features.cuts[at.feature];
  // Behind the last bin stand the missing values alone.
  return at.bin < cuts.size() ? cuts[at.bin] : std::numeric_limits<float>::infinity();
}

tree_grower::histogram tree_grower::spare_histogram() {
  if (spare_.empty()) {
    return histogram(data_.features.features * codes);
  }
  auto spare = std::move(spare_.back());
  spare_.pop_back();
  return spare;
}

} // namespace penstock::ml
