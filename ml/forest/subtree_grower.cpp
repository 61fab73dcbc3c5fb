// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/subtree_grower.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <tuple>

namespace penstock::ml {

namespace {

constexpr std::size_t stride = sorted_rows::stride;

const sorted_kernels& kernels_for(instruction_set instructions) {
#if defined(__x86_64__)
  if (instructions >= instruction_set::avx512_vbmi) {
    return sorted_vbmi;
  }
  if (instructions >= instruction_set::avx2) {
    return sorted_avx2;
  }
#endif
  (void)instructions;
  return sorted_portable;
}

constexpr std::uint32_t payload_of(cell of) {
  return static_cast<std::uint32_t>(sum_of(of) << 8 | samples_of(of));
}

constexpr auto numbers_in_turn = [] {
  std::array<std::uint8_t, 256> numbers{};
  std::iota(numbers.begin(), numbers.end(), std::uint8_t{0});
  return numbers;
}();

} // namespace

subtree_grower::subtree_grower(const growth_data& data, const growth_limits& limits, instruction_set instructions)
    : data_(data), limits_(limits), kernels_(kernels_for(instructions)),
      choice_(data.features.features, limits.max_features), codes_((data.features.features + 1) * stride),
      order_(codes_.size()), sorted_codes_(codes_.size()) {
  lists_.features = static_cast<unsigned>(data.features.features);
  lists_.row_stride = static_cast<unsigned>(data.features.stride);
  lists_.codes = codes_.data();
  lists_.order = order_.data();
  lists_.sorted_codes = sorted_codes_.data();
}

void subtree_grower::grow(const open_node& root, const sampled_rows& rows, std::uint32_t count, grown_tree& grown) {
  load(rows, count);
  pending_.clear();
  pending_.push_back({root, {0, lists_.rows, payload_of(root.all)}});
  if (choice_.all() && may_split(pending_.back())) {
    for (unsigned first = 0; first < lists_.features; first += binned_features::group) {
      kernels_.sort_all(lists_, first);
    }
  }
  while (!pending_.empty()) {
    const auto node = pending_.back();
    pending_.pop_back();
    if (may_split(node)) {
      if (const auto best = best_split(node); best.gain > 0) {
        divide(node, best, grown);
        continue;
      }
    }
    make_leaf(node, grown);
  }
}

void subtree_grower::load(const sampled_rows& rows, std::uint32_t count) {
  lists_.rows = count;
  lists_.codes_by_row = rows.codes;
  deviations_ = rows.deviations;
  std::copy_n(rows.payloads, count, lists_.payload);
  std::copy_n(numbers_in_turn.data(), count, order_.data() + by_number() * stride);
  kernels_.turn(lists_);
}

bool subtree_grower::may_split(const pending_node& node) const {
  return node.rows.rows >= 2 && node.at.may_split(limits_);
}

split subtree_grower::best_split(const pending_node& node) {
  split best;
  if (choice_.all()) {
    look_at_all(node, best);
  } else {
    choice_.draw(node.at.key, [&](unsigned feature) {
      kernels_.sort(lists_, node.rows, by_number(), feature);
      look_at(node, feature, feature + 1, best);
      return best.gain > 0;
    });
  }
  return best;
}

/// Features without missing values are looked at together: the kernels take several at a time.
void subtree_grower::look_at_all(const pending_node& node, split& best) {
  for (unsigned first = 0; first < lists_.features;) {
    auto last = first + 1;
    while (last < lists_.features && !data_.features.has_missing[first] && !data_.features.has_missing[last]) {
      ++last;
    }
    look_at(node, first, last, best);
    first = last;
  }
}

void subtree_grower::look_at(const pending_node& node, unsigned first, unsigned last, split& best) {
  if (data_.features.has_missing[first] &&
      sorted_codes_[first * stride + node.rows.begin + node.rows.rows - 1] == missing_code) {
    return look_at_missing(node, first, best);
  }
  sorted_best found{};
  kernels_.find(lists_, node.rows, first, last, limits_.min_samples_leaf, found);
  split candidate;
  candidate.gain = found.gain;
  candidate.feature = static_cast<std::uint16_t>(found.feature);
  if (!candidate.beats(best)) {
    return;
  }
  best = candidate;
  best.bin = sorted_codes_[found.feature * stride + node.rows.begin + found.left_rows - 1];
  best.left = cell_of_payload(found.left);
  best.missing_left = 2 * samples_of(best.left) >= samples_of(node.at.all);
}

/// The same for one feature of which the node has missing values: they are tried on both sides.
void subtree_grower::look_at_missing(const pending_node& node, unsigned feature, split& best) {
  const auto* codes = sorted_codes_.data() + feature * stride + node.rows.begin;
  const auto* order = order_.data() + feature * stride + node.rows.begin;
  cell missing = 0;
  auto numbers = node.rows.rows;
  for (; numbers > 0 && codes[numbers - 1] == missing_code; --numbers) {
    missing += cell_of_payload(lists_.payload[order[numbers - 1]]);
  }
  split found;
  cell left = 0;
  for (unsigned i = 0; i < numbers; ++i) {
    left += cell_of_payload(lists_.payload[order[i]]);
    if (i + 1 < numbers && codes[i] == codes[i + 1]) {
      continue;
    }
    for (const bool missing_left : {true, false}) {
      split candidate{0, static_cast<std::uint16_t>(feature), codes[i], missing_left,
                      missing_left ? left + missing : left};
      const auto n_left = samples_of(candidate.left);
      const auto n_right = samples_of(node.at.all) - n_left;
      if (n_right == 0 || n_left < limits_.min_samples_leaf || n_right < limits_.min_samples_leaf) {
        continue;
      }
      candidate.gain = split_gain(node.at.all, candidate.left);
      if (candidate.gain > found.gain) {
        found = candidate;
      }
    }
  }
  if (found.beats(best)) {
    best = found;
  }
}

void subtree_grower::divide(const pending_node& node, const split& at, grown_tree& grown) {
  pending_node left;
  pending_node right;
  std::tie(left.at, right.at) = add_split(node.at, at, data_.features, grown);
  const question asked{at.feature, at.bin, at.missing_left, true};
  const auto on_left = kernels_.divide(lists_, node.rows, by_number(), by_number() + 1, asked);
  left.rows = {node.rows.begin, on_left, payload_of(left.at.all)};
  right.rows = {node.rows.begin + on_left, node.rows.rows - on_left, payload_of(right.at.all)};
  if (choice_.all() && (may_split(left) || may_split(right))) {
    kernels_.divide(lists_, node.rows, 0, lists_.features, asked);
  }
  pending_.push_back(left);
  pending_.push_back(right);
}

void subtree_grower::make_leaf(const pending_node& node, grown_tree& grown) const {
  const auto* numbers = order_.data() + by_number() * stride + node.rows.begin;
  double sum = 0;
  for (unsigned i = 0; i < node.rows.rows; ++i) {
    const auto row = numbers[i];
    sum += leaf_share(lists_.payload[row], deviations_[row]);
  }
  set_leaf(node.at, sum, grown);
}

} // namespace penstock::ml
