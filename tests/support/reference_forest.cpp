// SPDX-License-Identifier: Apache-2.0
#include "tests/support/reference_forest.hpp"

#include "ml/binner.hpp"
#include "ml/forest_random.hpp"

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

class reference_tree {
public:
  reference_tree(const ml::column_matrix& features, const std::vector<std::int64_t>& steps,
                 const std::vector<double>& deviations, const std::vector<std::vector<float>>& cuts,
                 const reference_parameters& parameters)
      : features_(features), steps_(steps), deviations_(deviations), cuts_(cuts), parameters_(parameters) {}

  ml::tree_nodes grow(std::uint64_t tree_key) {
    const auto rows = static_cast<std::uint64_t>(features_.rows());
    std::vector<std::int64_t> weights(rows, parameters_.bootstrap ? 0 : 1);
    ml::random_stream random(tree_key);
    for (std::uint64_t draw = 0; parameters_.bootstrap && draw < rows; ++draw) {
      ++weights[random.below(rows)];
    }
    samples all;
    for (Eigen::Index row = 0; row < features_.rows(); ++row) {
      if (weights[static_cast<std::size_t>(row)] > 0) {
        all.push_back({row, weights[static_cast<std::size_t>(row)]});
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
      nodes_[index].number = mean_deviation(here);
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

  float gain(const samples& left, const samples& right) const {
    const auto n_left = weight_of(left);
    const auto n_right = weight_of(right);
    const auto n = n_left + n_right;
    const auto difference = n * sum_of(left) - (sum_of(left) + sum_of(right)) * n_left;
    const auto rounded = static_cast<float>(difference);
    return rounded * rounded / (static_cast<float>(n_left) * static_cast<float>(n_right));
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

  std::int64_t sum_of(const samples& some) const {
    std::int64_t sum = 0;
    for (const auto& sample : some) {
      sum += sample.weight * steps_[static_cast<std::size_t>(sample.row)];
    }
    return sum;
  }

  float mean_deviation(const samples& here) const {
    double sum = 0;
    for (const auto& sample : here) {
      sum += static_cast<double>(sample.weight) * deviations_[static_cast<std::size_t>(sample.row)];
    }
    return static_cast<float>(sum / static_cast<double>(weight_of(here)));
  }

  const ml::column_matrix& features_;
  const std::vector<std::int64_t>& steps_;
  const std::vector<double>& deviations_;
  const std::vector<std::vector<float>>& cuts_;
  const reference_parameters& parameters_;
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

} // namespace

ml::forest grow_reference_forest(const ml::column_matrix& features, const ml::vector& target,
                                 const reference_parameters& parameters) {
  ml::forest forest;
  forest.features = static_cast<std::size_t>(features.cols());
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
  std::vector<std::int64_t> steps;
  std::vector<double> deviations;
  for (double y : target) {
    steps.push_back(range > 0 ? static_cast<std::int64_t>(std::floor((y - low) / range * 65535 + 0.5)) : 0);
    deviations.push_back((y - forest.offset) / forest.scale);
  }
  const auto cuts = cuts_of(features);
  for (std::uint32_t number = 0; number < parameters.trees; ++number) {
    reference_tree tree(features, steps, deviations, cuts, parameters);
    forest.trees.push_back(tree.grow(ml::tree_key(parameters.seed, number)));
  }
  return forest;
}

double predict_reference(const ml::forest& forest, const float* row) {
  float sum = 0;
  for (const auto& nodes : forest.trees) {
    std::uint32_t at = 0;
    while (!nodes[at].is_leaf()) {
      const auto x = row[nodes[at].feature];
      const bool left = std::isnan(x) ? nodes[at].missing_left : x <= nodes[at].number;
      at = left ? nodes[at].left : nodes[at].right;
    }
    sum += nodes[at].number;
  }
  return forest.predict_from(sum);
}

} // namespace penstock::testing
