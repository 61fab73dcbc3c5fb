// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/tree_grower.hpp"

#include <algorithm>
#include <utility>

namespace penstock::ml {

namespace {

constexpr std::size_t codes = 256;
constexpr std::size_t group = binned_features::group;
constexpr std::size_t group_cells = codes * group;
/// How far ahead of its use a row is asked for. Rows of a node are scattered over all of memory.
constexpr std::uint32_t prefetch_distance = 16;

scan_function* scan_for(instruction_set instructions) {
#if defined(__x86_64__) && 0
  if (instructions >= instruction_set::avx512) {
    return scan_avx512;
  }
  if (instructions >= instruction_set::avx2) {
    return scan_avx2;
  }
#endif
  (void)instructions;
  return scan_portable;
}

std::vector<unsigned> bins_of_groups(const binned_features& features) {
  std::vector<unsigned> bins(features.groups());
  for (std::size_t feature = 0; feature < features.features; ++feature) {
    auto& most = bins[feature / group];
    most = std::max(most, static_cast<unsigned>(features.cuts[feature].size()) + 1);
  }
  return bins;
}

} // namespace

tree_grower::tree_grower(const growth_data& data, const growth_limits& limits, const bootstrap& samples,
                         instruction_set instructions)
    : data_(data), limits_(limits), bootstrap_(samples), scan_(scan_for(instructions)),
      subtree_(data, limits, instructions), choice_(data.features.features, limits.max_features),
      group_bins_(bins_of_groups(data.features)), counts_(data.features.rows), samples_(data.features.rows),
      to_right_(data.features.rows), found_(data.features.features), scanned_(data.features.groups()) {
  rows_.resize(data.features.rows);
}

std::size_t tree_grower::memory(std::size_t rows, std::size_t features) {
  constexpr std::size_t histograms = 26; // of the path from the root, the smaller child first: log2 of the rows
  const auto groups = (features + group - 1) / group;
  return rows * (sizeof(cell) + 3 * sizeof(std::uint32_t)) + histograms * groups * group_cells * sizeof(cell) +
         subtree_grower::memory(features);
}

std::optional<grown_tree> tree_grower::grow(std::uint64_t tree_key, const training_control& control) {
  grown_tree grown{tree_nodes(1), std::vector<double>(1)};
  pending_.clear();
  start(tree_key);
  while (!pending_.empty()) {
    if (control.is_cancelled()) {
      return {};
    }
    auto node = std::move(pending_.back());
    pending_.pop_back();
    grow_node(std::move(node), grown);
  }
  return grown;
}

/// Draws the samples and makes the root.
void tree_grower::start(std::uint64_t key) {
  bootstrap_.sample(key, counts_);
  pending_node root;
  root.at.key = root_key(key);
  rows_.resize(counts_.size());
  std::uint32_t drawn = 0;
  for (std::uint32_t row = 0; row < counts_.size(); ++row) {
    const auto sample = cell_of(counts_[row], data_.target[row]);
    samples_[row] = sample;
    rows_[drawn] = row;
    drawn += counts_[row] != 0;
    root.at.all += sample;
  }
  root.end = drawn;
  if (!is_small(root.at) && root.at.may_split(limits_)) {
    root.cells = spare_histogram();
    count(root, root.cells);
  }
  pending_.push_back(std::move(root));
}

void tree_grower::grow_node(pending_node node, grown_tree& grown) {
  if (is_small(node.at)) {
    return subtree_.grow(node.at, {rows_.data() + node.begin, node.end - node.begin}, samples_, grown);
  }
  if (node.cells.empty()) {
    return make_leaf(node, grown);
  }
  if (const auto best = best_split(node); best.gain > 0) {
    return divide(std::move(node), best, grown);
  }
  make_leaf(node, grown);
  spare_.push_back(std::move(node.cells));
}

split tree_grower::best_split(const pending_node& node) {
  split best;
  std::fill(scanned_.begin(), scanned_.end(), false);
  const auto look = [&](std::size_t feature) {
    if (!scanned_[feature / group]) {
      scan_group(node, feature / group);
    }
    if (found_[feature].beats(best)) {
      best = found_[feature];
    }
    return best.gain > 0;
  };
  if (choice_.all()) {
    for (std::size_t feature = 0; feature < found_.size(); ++feature) {
      look(feature);
    }
  } else {
    choice_.draw(node.at.key, look);
  }
  return best;
}

/// Finds the best split of each feature of a group.
void tree_grower::scan_group(const pending_node& node, std::size_t which) {
  scanned_[which] = true;
  const auto* cells = node.cells.data() + which * group_cells;
  group_best best;
  scan_(cells, group_bins_[which], node.at.all, limits_.min_samples_leaf, best);
  const auto first = which * group;
  for (std::size_t lane = 0; lane < group && first + lane < found_.size(); ++lane) {
    auto& found = found_[first + lane];
    found = {};
    if (cells[missing_code * group + lane] != 0) {
      scan_missing(node, first + lane);
    } else if (best.gain[lane] > 0) {
      found.gain = best.gain[lane];
      found.feature = static_cast<std::uint16_t>(first + lane);
      found.bin = best.bin[lane];
      for (std::size_t bin = 0; bin <= found.bin; ++bin) {
        found.left += cells[bin * group + lane];
      }
      found.missing_left = 2 * samples_of(found.left) >= samples_of(node.at.all);
    }
  }
}

/// The same for one feature of which the node has missing values: they are tried on both sides.
void tree_grower::scan_missing(const pending_node& node, std::size_t feature) {
  const auto* cells = node.cells.data() + feature / group * group_cells + feature % group;
  const auto missing = cells[missing_code * group];
  cell left = 0;
  for (std::size_t bin = 0; bin < group_bins_[feature / group]; ++bin) {
    const auto here = cells[bin * group];
    left += here;
    for (const bool missing_left : {true, false}) {
      split candidate{0, static_cast<std::uint16_t>(feature), static_cast<std::uint8_t>(bin), missing_left,
                      missing_left ? left + missing : left};
      const auto n_left = samples_of(candidate.left);
      const auto n_right = samples_of(node.at.all) - n_left;
      if (here == 0 || n_right == 0 || n_left < limits_.min_samples_leaf || n_right < limits_.min_samples_leaf) {
        continue; // an empty bin divides the node as the bin before it does
      }
      candidate.gain = split_gain(node.at.all, candidate.left);
      if (candidate.gain > found_[feature].gain) {
        found_[feature] = candidate;
      }
    }
  }
}

void tree_grower::divide(pending_node node, const split& at, grown_tree& grown) {
  const auto border = partition(node, at);
  pending_node left;
  pending_node right;
  std::tie(left.at, right.at) = add_split(node.at, at, data_.features, grown);
  left.begin = node.begin;
  left.end = right.begin = border;
  right.end = node.end;
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
  const auto* column = data_.features.column(at.feature);
  // Codes beyond `reach`, which missing ones are, wrap around to 0 when these go left.
  const auto shift = static_cast<std::uint8_t>(at.missing_left ? 1 : 0);
  const auto reach = static_cast<std::uint8_t>(at.bin + shift);
  for (auto i = node.begin; i < node.end; ++i) {
    const auto row = rows_[i];
    const bool goes_left = static_cast<std::uint8_t>(column[row] + shift) <= reach;
    rows_[left] = row;
    to_right_[right] = row;
    left += goes_left;
    right += !goes_left;
  }
  std::copy_n(to_right_.begin(), right, rows_.begin() + left);
  return left;
}

/// Gives the children that are to be split by histogram theirs.
void tree_grower::fill_histograms(pending_node&& parent, pending_node& left, pending_node& right) {
  auto* smaller = &left;
  auto* larger = &right;
  if (left.end - left.begin > right.end - right.begin) {
    std::swap(smaller, larger);
  }
  const auto wants = [&](const pending_node& child) { return !is_small(child.at) && child.at.may_split(limits_); };
  if (wants(*smaller)) {
    smaller->cells = spare_histogram();
    count(*smaller, smaller->cells);
  }
  if (!wants(*larger)) {
    spare_.push_back(std::move(parent.cells));
    return;
  }
  if (smaller->cells.empty()) {
    take_off(*smaller, parent.cells);
  } else {
    for (std::size_t i = 0; i < parent.cells.size(); ++i) {
      parent.cells[i] -= smaller->cells[i];
    }
  }
  larger->cells = std::move(parent.cells);
}

namespace {

/// Adds the samples of rows to a histogram, feature by feature of each row.
template <class Add>
void for_each_cell(const binned_features& features, const std::vector<cell>& samples, const std::uint32_t* rows,
                   std::uint32_t count, cell* cells, Add add) {
  const auto groups = features.groups();
  for (std::uint32_t i = 0; i < count; ++i) {
    if (i + prefetch_distance < count) {
      __builtin_prefetch(features.row(rows[i + prefetch_distance]));
      __builtin_prefetch(&samples[rows[i + prefetch_distance]]);
    }
    const auto sample = samples[rows[i]];
    const auto* code = features.row(rows[i]);
    auto* of_group = cells;
    for (std::size_t g = 0; g < groups; ++g, code += group, of_group += group_cells) {
#pragma GCC unroll 8
      for (std::size_t lane = 0; lane < group; ++lane) {
        add(of_group[code[lane] * group + lane], sample);
      }
    }
  }
}

} // namespace

void tree_grower::count(const pending_node& node, histogram& cells) const {
  std::fill(cells.begin(), cells.end(), 0);
  for_each_cell(data_.features, samples_, rows_.data() + node.begin, node.end - node.begin, cells.data(),
                [](cell& to, cell sample) { to += sample; });
}

void tree_grower::take_off(const pending_node& node, histogram& cells) const {
  for_each_cell(data_.features, samples_, rows_.data() + node.begin, node.end - node.begin, cells.data(),
                [](cell& from, cell sample) { from -= sample; });
}

void tree_grower::make_leaf(const pending_node& node, grown_tree& grown) const {
  double sum = 0;
  for (auto i = node.begin; i < node.end; ++i) {
    const auto row = rows_[i];
    sum += static_cast<double>(samples_of(samples_[row])) * data_.deviation[row];
  }
  grown.nodes[node.at.index].number = static_cast<float>(sum / static_cast<double>(samples_of(node.at.all)));
}

tree_grower::histogram tree_grower::spare_histogram() {
  if (spare_.empty()) {
    return histogram(data_.features.groups() * group_cells);
  }
  auto spare = std::move(spare_.back());
  spare_.pop_back();
  return spare;
}

} // namespace penstock::ml
