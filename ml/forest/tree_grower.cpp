// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/tree_grower.hpp"

#include <algorithm>
#include <utility>

namespace penstock::ml {

namespace {

constexpr std::size_t codes = 256;
constexpr std::size_t group = binned_features::group;
constexpr std::size_t group_cells = codes * group;

const large_kernels& kernels_for(instruction_set instructions) {
  static constexpr large_kernels portable{scan_portable, divide_portable, subtract_portable, draw_portable,
                                          gather_portable};
#if defined(__x86_64__)
  static constexpr large_kernels avx2{scan_avx2, divide_portable, subtract_portable, draw_portable, gather_portable};
  static constexpr large_kernels avx512{scan_avx512, divide_avx512, subtract_avx512, draw_avx512, gather_avx512};
  if (instructions >= instruction_set::avx2) {
    return instructions >= instruction_set::avx512 ? avx512 : avx2;
  }
#endif
  (void)instructions;
  return portable;
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

void sample_memory::reserve(std::size_t rows) {
  if (payloads_.size() >= rows + sampled_rows::padding) {
    return;
  }
  // What is there goes first, and the next sample, which is a little larger, shall fit as well.
  const auto room = rows + rows / 128 + sampled_rows::padding;
  codes_ = {};
  payloads_ = {};
  deviations_ = {};
  codes_.resize(room * stride_);
  payloads_.resize(room);
  deviations_.resize(room);
}

tree_grower::tree_grower(const growth_data& data, const growth_limits& limits, const bootstrap& samples,
                         instruction_set instructions)
    : data_(data), limits_(limits), bootstrap_(samples), kernels_(kernels_for(instructions)),
      subtree_(data, limits, instructions), choice_(data.features.features, limits.max_features),
      group_bins_(bins_of_groups(data.features)), counts_(data.features.rows), sample_(data.features.stride),
      rest_(data.features.stride), found_(data.features.features), scanned_(data.features.groups()) {}

std::size_t tree_grower::memory(std::size_t rows, std::size_t drawn, std::size_t features) {
  constexpr std::size_t histograms = 26; // of the path from the root, the smaller child first: log2 of the rows
  const auto groups = (features + group - 1) / group;
  return rows + 2 * drawn * (groups * group + sizeof(std::uint32_t) + sizeof(float)) +
         histograms * groups * group_cells * sizeof(cell) + subtree_grower::memory(features);
}

std::optional<grown_tree> tree_grower::grow(std::uint64_t tree_key, const training_control& control) {
  grown_tree grown(data_.features.features);
  grown.nodes.reserve(expected_nodes_);
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
  expected_nodes_ = grown.nodes.size() + grown.nodes.size() / 16;
  return grown;
}

/// Draws the samples and makes the root.
void tree_grower::start(std::uint64_t key) {
  pending_node root;
  root.at.key = root_key(key);
  const auto rows = data_.features.rows;
  if (const auto drawn = bootstrap_.sample(key, counts_, *kernels_.draw)) {
    sample_.reserve(*drawn);
    rest_.reserve(*drawn);
    root.end = kernels_.gather(counts_.data(), data_.target.data(), data_.deviation.data(), data_.features.codes.data(),
                               static_cast<std::uint32_t>(rows), sample_.from(0), root.at.all);
  }
  if (samples_of(root.at.all) != rows) {
    gather_heavy(key, root);
  }
  if (!is_small(root.at) && root.at.may_split(limits_)) {
    root.cells = spare_histogram();
    count(root, root.cells);
    root.best = best_split(root);
  }
  pending_.push_back(std::move(root));
}

/// Gathers a sample in which rows occur more than 255 times: each portion of 255 is a row of its own.
void tree_grower::gather_heavy(std::uint64_t key, pending_node& root) {
  std::vector<std::uint32_t> counts(data_.features.rows);
  bootstrap_.sample(key, counts);
  std::size_t portions = 0;
  for (auto count : counts) {
    portions += (count + most_sorted_samples - 1) / most_sorted_samples;
  }
  sample_.reserve(portions);
  rest_.reserve(portions);
  root.at.all = 0;
  root.end = 0;
  const auto to = sample_.from(0);
  for (std::uint32_t row = 0; row < counts.size(); ++row) {
    for (std::uint32_t left = counts[row]; left > 0;) {
      const auto portion = std::min<std::uint32_t>(left, most_sorted_samples);
      to.deviations[root.end] = data_.deviation[row];
      to.payloads[root.end] = (portion * data_.target[row]) << 8 | portion;
      std::copy_n(data_.features.row(row), to.stride, to.codes + root.end * to.stride);
      ++root.end;
      left -= portion;
    }
    root.at.all += cell_of(counts[row], data_.target[row]);
  }
}

void tree_grower::grow_node(pending_node node, grown_tree& grown) {
  if (!node.at.may_split(limits_)) {
    return make_leaf(node, grown);
  }
  if (is_small(node.at)) {
    return subtree_.grow(node.at, rows_of(node), node.end - node.begin, grown);
  }
  if (node.best.gain > 0) {
    return divide(std::move(node), grown);
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
  if (best.gain > 0 && best.left == 0) {
    complete(node, best);
  }
  return best;
}

/// Adds what the scan leaves out, because only the winner needs it: the bin within its block, and what lies left of it.
void tree_grower::complete(const pending_node& node, split& best) const {
  const auto* cells = node.cells.data() + best.feature / group * group_cells + best.feature % group;
  const auto all = node.at.all;
  cell left = 0;
  for (const auto* block = cells + best.bin * group; cells < block; cells += group) {
    left += *cells;
  }
  for (unsigned bin = best.bin; best.left == 0; ++bin, cells += group) {
    left += *cells;
    const auto n_left = samples_of(left);
    const auto n_right = samples_of(all) - n_left;
    if (n_left >= limits_.min_samples_leaf && n_right >= limits_.min_samples_leaf &&
        split_gain(all, left) == best.gain) {
      best.bin = static_cast<std::uint8_t>(bin);
      best.left = left;
    }
  }
  best.missing_left = 2 * samples_of(best.left) >= samples_of(all);
}

/// Finds the best split of each feature of a group.
void tree_grower::scan_group(const pending_node& node, std::size_t which) {
  scanned_[which] = true;
  const auto* cells = node.cells.data() + which * group_cells;
  group_best best;
  kernels_.scan(cells, group_bins_[which], node.at.all, limits_.min_samples_leaf, best);
  const auto first = which * group;
  for (std::size_t lane = 0; lane < group && first + lane < found_.size(); ++lane) {
    auto& found = found_[first + lane];
    found = {};
    if (cells[missing_code * group + lane] != 0) {
      scan_missing(node, first + lane);
    } else if (best.gain[lane] > 0) {
      found.gain = best.gain[lane];
      found.feature = static_cast<std::uint16_t>(first + lane);
      found.bin = best.first[lane];
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

void tree_grower::divide(pending_node node, grown_tree& grown) {
  const auto at = node.best;
  pending_node left;
  pending_node right;
  std::tie(left.at, right.at) = add_split(node.at, at, data_.features, grown);
  if (!left.at.may_split(limits_) && !right.at.may_split(limits_)) {
    make_leaves(node, left.at, right.at, grown);
    spare_.push_back(std::move(node.cells));
    return;
  }
  // What comes to the front keeps its memory, the rest is moved twice.
  const bool left_in_front = samples_of(left.at.all) >= samples_of(right.at.all);
  auto& front = left_in_front ? left : right;
  auto& behind = left_in_front ? right : left;
  front.begin = node.begin;
  front.end = behind.begin = partition(node, {at.feature, at.bin, at.missing_left, left_in_front});
  behind.end = node.end;
  fill_histograms(std::move(node), left, right);
  // The smaller child is grown first, so that the histograms kept for later are at most log2(rows).
  if (left.end - left.begin < right.end - right.begin) {
    std::swap(left, right);
  }
  pending_.push_back(std::move(left));
  pending_.push_back(std::move(right));
}

/// Returns where the rows of the side behind begin.
std::uint32_t tree_grower::partition(const pending_node& node, const question& asked) {
  const auto rows = rows_of(node);
  const auto count = node.end - node.begin;
  const auto rest = rest_.from(0);
  const auto front = kernels_.divide(rows, count, asked, rest);
  std::copy_n(rest.codes, (count - front) * rows.stride, rows.codes + front * rows.stride);
  std::copy_n(rest.payloads, count - front, rows.payloads + front);
  std::copy_n(rest.deviations, count - front, rows.deviations + front);
  return node.begin + front;
}

/// Gives the children that are to be split by histogram theirs, and looks for their splits while it is in the first
/// cache.
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
    smaller->best = best_split(*smaller);
  }
  if (!wants(*larger)) {
    spare_.push_back(std::move(parent.cells));
    return;
  }
  if (smaller->cells.empty()) {
    take_off(*smaller, parent.cells);
  } else {
    kernels_.subtract(parent.cells.data(), smaller->cells.data(), parent.cells.size());
  }
  larger->cells = std::move(parent.cells);
  larger->best = best_split(*larger);
}

namespace {

/// Adds or takes off the samples of rows, feature by feature of each row: group by group of a block of rows, so that
/// the block and the histogram of the group stay in the first cache.
template <class Add>
void for_each_cell(const sampled_rows& rows, std::uint32_t count, cell* cells, Add add) {
  constexpr std::uint32_t block = 256;
  const auto groups = rows.stride / group;
  for (std::uint32_t first = 0; first < count; first += block) {
    const auto end = std::min(first + block, count);
    auto* of_group = cells;
    for (std::size_t g = 0; g < groups; ++g, of_group += group_cells) {
      const auto* code = rows.codes + first * rows.stride + g * group;
      for (std::uint32_t i = first; i < end; ++i, code += rows.stride) {
        const auto sample = cell_of_payload(rows.payloads[i]);
#pragma GCC unroll 8
        for (std::size_t lane = 0; lane < group; ++lane) {
          add((of_group + lane)[code[lane] * group], sample);
        }
      }
    }
  }
}

} // namespace

void tree_grower::count(const pending_node& node, histogram& cells) {
  std::fill(cells.begin(), cells.end(), 0);
  for_each_cell(rows_of(node), node.end - node.begin, cells.data(), [](cell& to, cell sample) { to += sample; });
}

void tree_grower::take_off(const pending_node& node, histogram& cells) {
  for_each_cell(rows_of(node), node.end - node.begin, cells.data(), [](cell& from, cell sample) { from -= sample; });
}

void tree_grower::make_leaf(const pending_node& node, grown_tree& grown) {
  const auto rows = rows_of(node);
  const auto count = node.end - node.begin;
  double sum = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    sum += leaf_share(rows.payloads[i], rows.deviations[i]);
  }
  set_leaf(node.at, sum, grown);
}

/// Of a divided node, whose rows need not move for it.
void tree_grower::make_leaves(const pending_node& parent, const open_node& left, const open_node& right,
                              grown_tree& grown) {
  const auto asked = parent.best;
  const auto rows = rows_of(parent);
  const auto count = parent.end - parent.begin;
  const auto* code = rows.codes + asked.feature;
  double on_left = 0;
  double on_right = 0;
  for (std::uint32_t i = 0; i < count; ++i, code += rows.stride) {
    // To both sides, as 0 to the other one, for a branch would be foretold badly.
    const auto share = leaf_share(rows.payloads[i], rows.deviations[i]);
    const auto goes_left = asked.goes_left(*code) ? 1 : 0;
    on_left += share * goes_left;
    on_right += share * (1 - goes_left);
  }
  set_leaf(left, on_left, grown);
  set_leaf(right, on_right, grown);
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
