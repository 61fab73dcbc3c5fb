// SPDX-License-Identifier: Apache-2.0
#include "tests/support/reference_forest.hpp"

#include "ml/forest/binner.hpp"
#include "ml/forest/bootstrap.hpp"
#include "ml/forest/forest_random.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

namespace penstock::testing {

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

struct sample {
  Eigen::Index row = 0;
  std::int64_t weight = 0;
};
using samples = std::vector<sample>;

struct candidate {
  float gain = 0;
  Eigen::Index feature = 0;
  float threshold = 0;
  bool missing_left = false;
};

/// Targets as integers, which decide splits, and as what makes leaves of one value.
struct targets {
  std::vector<std::vector<std::int64_t>> steps; ///< one for a regression or two classes, else one for each class
  std::vector<float> deviations;
};

class reference_tree {
public:
  reference_tree(const ml::column_matrix& features, const targets& targets, const std::vector<std::vector<float>>& cuts,
                 const reference_parameters& parameters, ml::forest& into)
      : features_(features), targets_(targets), cuts_(cuts), parameters_(parameters), into_(into) {}

  ml::tree_nodes grow(std::uint64_t tree_key) {
    const auto rows = static_cast<std::size_t>(features_.rows());
    std::vector<std::uint32_t> counts(rows);
    const auto sample =
        parameters_.bootstrap ? ml::bootstrap::draws(rows, parameters_.weights) : ml::bootstrap::none(rows);
    sample.sample(tree_key, counts);
    samples all;
    for (std::size_t row = 0; row < rows; ++row) {
      // Portions of 255 are rows of their own; this shows in the roundings of leaves.
      for (std::int64_t left = counts[row]; left > 0; left -= 255) {
        all.push_back({static_cast<Eigen::Index>(row), std::min<std::int64_t>(left, 255)});
      }
    }
    add_node(all, 0, ml::root_key(tree_key));
    return std::move(nodes_);
  }

private:
  std::uint32_t add_node(const samples& here, std::uint32_t depth, std::uint64_t key) {
    const auto index = static_cast<std::uint32_t>(nodes_.size());
    nodes_.emplace_back();
    const auto best = best_candidate(here, depth, key);
    if (best.gain == 0) {
      make_leaf(here, nodes_[index]);
      return index;
    }
    const auto [left, right] = divide(here, best);
    nodes_[index].feature = static_cast<std::uint16_t>(best.feature);
    nodes_[index].number = best.threshold;
    nodes_[index].missing_left = best.missing_left;
    const auto left_child = add_node(left, depth + 1, ml::left_key(key));
    const auto right_child = add_node(right, depth + 1, ml::right_key(key));
    nodes_[index].left = left_child;
    nodes_[index].right = right_child;
    return index;
  }

  candidate best_candidate(const samples& here, std::uint32_t depth, std::uint64_t key) const {
    candidate best;
    if (depth >= parameters_.max_depth || weight_of(here) < parameters_.min_samples_split) {
      return best;
    }
    std::vector<Eigen::Index> order(static_cast<std::size_t>(features_.cols()));
    std::iota(order.begin(), order.end(), 0);
    const bool all = parameters_.max_features >= order.size();
    ml::random_stream random(key);
    for (std::size_t i = 0; i < order.size() && (i < parameters_.max_features || best.gain == 0); ++i) {
      if (!all) {
        std::swap(order[i], order[i + random.below(order.size() - i)]);
      }
      try_feature(here, order[i], best);
    }
    return best;
  }

  void try_feature(const samples& here, Eigen::Index feature, candidate& best) const {
    bool missing = false;
    for (const auto& sample : here) {
      missing = missing || std::isnan(features_(sample.row, feature));
    }
    auto thresholds = cuts_[static_cast<std::size_t>(feature)];
    thresholds.push_back(infinity);
    for (float threshold : thresholds) {
      for (bool missing_left : {true, false}) {
        candidate next{0, feature, threshold, missing_left};
        const auto [left, right] = divide(here, next);
        if (left.empty() || right.empty() || weight_of(left) < parameters_.min_samples_leaf ||
            weight_of(right) < parameters_.min_samples_leaf) {
          continue;
        }
        if (!missing) {
          next.missing_left = weight_of(left) >= weight_of(right);
        } else if (all_missing(left, feature)) {
          continue; // the mirror image of "all numbers left", which comes last
        }
        next.gain = gain(left, right);
        if (next.gain > best.gain || (next.gain == best.gain && next.gain > 0 && feature < best.feature)) {
          best = next;
        }
      }
    }
  }

  /// One target, or one for each of three or more classes: 1 for the rows of the class, 0 for the others.
  float gain(const samples& left, const samples& right) const {
    const auto n_left = weight_of(left);
    const auto n_right = weight_of(right);
    const auto n = n_left + n_right;
    float gain = 0;
    for (const auto& steps : targets_.steps) {
      const auto difference = n * sum_of(left, steps) - (sum_of(left, steps) + sum_of(right, steps)) * n_left;
      const auto rounded = static_cast<float>(difference);
      gain += rounded * rounded / (static_cast<float>(n_left) * static_cast<float>(n_right));
    }
    return gain;
  }

  std::pair<samples, samples> divide(const samples& here, const candidate& at) const {
    std::pair<samples, samples> sides;
    for (const auto& sample : here) {
      const auto x = features_(sample.row, at.feature);
      const bool left = std::isnan(x) ? at.missing_left : x <= at.threshold;
      (left ? sides.first : sides.second).push_back(sample);
    }
    return sides;
  }

  bool all_missing(const samples& some, Eigen::Index feature) const {
    for (const auto& sample : some) {
      if (!std::isnan(features_(sample.row, feature))) {
        return false;
      }
    }
    return true;
  }

  static std::int64_t weight_of(const samples& some) {
    std::int64_t weight = 0;
    for (const auto& sample : some) {
      weight += sample.weight;
    }
    return weight;
  }

  static std::int64_t sum_of(const samples& some, const std::vector<std::int64_t>& steps) {
    std::int64_t sum = 0;
    for (const auto& sample : some) {
      sum += sample.weight * steps[static_cast<std::size_t>(sample.row)];
    }
    return sum;
  }

  void make_leaf(const samples& here, ml::tree_node& leaf) {
    if (targets_.steps.size() > 1) {
      leaf.right = static_cast<std::uint32_t>(into_.values.size() / targets_.steps.size());
      for (const auto& steps : targets_.steps) {
        into_.values.push_back(
            static_cast<float>(static_cast<double>(sum_of(here, steps)) / static_cast<double>(weight_of(here))));
      }
      return;
    }
    double sum = 0;
    for (const auto& sample : here) {
      sum += static_cast<double>(sample.weight) *
             static_cast<double>(targets_.deviations[static_cast<std::size_t>(sample.row)]);
    }
    leaf.number = static_cast<float>(sum / static_cast<double>(weight_of(here)));
  }

  const ml::column_matrix& features_;
  const targets& targets_;
  const std::vector<std::vector<float>>& cuts_;
  const reference_parameters& parameters_;
  ml::forest& into_;
  ml::tree_nodes nodes_;
};

std::vector<std::vector<float>> cuts_of(const ml::column_matrix& features) {
  std::vector<std::vector<float>> cuts;
  for (Eigen::Index feature = 0; feature < features.cols(); ++feature) {
    std::vector<float> values;
    for (float x : features.col(feature)) {
      if (!std::isnan(x)) {
        values.push_back(x);
      }
    }
    cuts.push_back(ml::quantile_cuts(values));
  }
  return cuts;
}

targets regression_targets(const ml::vector& target, ml::forest& forest) {
  const double low = target.minCoeff();
  const double range = target.maxCoeff() - low;
  forest.offset = low + range / 2;
  forest.scale = 1;
  while (range > 0 && forest.scale <= range) {
    forest.scale *= 2;
  }
  while (range > 0 && forest.scale / 2 > range) {
    forest.scale /= 2;
  }
  targets made{{{}}, {}};
  for (double y : target) {
    made.steps[0].push_back(range > 0 ? static_cast<std::int64_t>(std::floor((y - low) / range * 65535 + 0.5)) : 0);
    made.deviations.push_back(static_cast<float>((y - forest.offset) / forest.scale));
  }
  return made;
}

targets class_targets(const ml::vector& target, std::size_t classes, ml::forest& forest) {
  targets made;
  for (std::size_t number = classes == 2 ? 1 : 0; number < classes; ++number) {
    made.steps.emplace_back();
    for (double y : target) {
      made.steps.back().push_back(y == static_cast<double>(number) ? 1 : 0);
    }
  }
  for (double y : target) {
    made.deviations.push_back(static_cast<float>(y));
  }
  forest.leaf_width = made.steps.size();
  return made;
}

} // namespace

ml::forest grow_reference_forest(const ml::column_matrix& features, const ml::vector& target,
                                 const reference_parameters& parameters) {
  ml::forest forest;
  forest.features = static_cast<std::size_t>(features.cols());
  const auto made =
      parameters.classes == 0 ? regression_targets(target, forest) : class_targets(target, parameters.classes, forest);
  const auto cuts = cuts_of(features);
  for (std::uint32_t number = 0; number < parameters.trees; ++number) {
    reference_tree tree(features, made, cuts, parameters, forest);
    forest.trees.push_back(tree.grow(ml::tree_key(parameters.seed, number)));
  }
  return forest;
}

std::vector<float> sum_reference_leaves(const ml::forest& forest, const float* row) {
  std::vector<float> sums(forest.leaf_width);
  for (const auto& nodes : forest.trees) {
    std::uint32_t at = 0;
    while (!nodes[at].is_leaf()) {
      const auto x = row[nodes[at].feature];
      const bool left = std::isnan(x) ? nodes[at].missing_left : x <= nodes[at].number;
      at = left ? nodes[at].left : nodes[at].right;
    }
    for (std::size_t k = 0; k < sums.size(); ++k) {
      sums[k] += forest.values_of(nodes[at])[k];
    }
  }
  return sums;
}

} // namespace penstock::testing
