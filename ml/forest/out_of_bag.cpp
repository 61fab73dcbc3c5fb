// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/out_of_bag.hpp"

#include "ml/forest/forest_random.hpp"
#include "ml/training_threads.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace penstock::ml {

namespace {

/// Trees whose samples are drawn again at a time, so that their counts need little memory.
constexpr std::size_t trees_at_once = 8;
constexpr std::size_t rows_per_task = 4096;

const tree_node& leaf_of(const tree_nodes& tree, const column_matrix& features, std::size_t row) {
  const auto* node = tree.data();
  while (!node->is_leaf()) {
    const auto x = features(static_cast<Eigen::Index>(row), node->feature);
    const bool left = std::isnan(x) ? node->missing_left : x <= node->number;
    node = &tree[left ? node->left : node->right];
  }
  return *node;
}

/// Sums of leaves of each row over the trees that have not seen it.
struct votes {
  std::vector<double> sums;         ///< rows×leaf_width
  std::vector<std::uint32_t> trees; ///< rows
};

result<votes> count_votes(const training_data& data, const forest& forest, const bootstrap& samples, std::uint64_t seed,
                          const training_control& control) {
  const auto rows = samples.rows();
  votes out{std::vector<double>(rows * forest.leaf_width), std::vector<std::uint32_t>(rows)};
  std::vector<std::vector<std::uint32_t>> drawn(trees_at_once, std::vector<std::uint32_t>(rows));
  for (std::size_t first = 0; first < forest.trees.size(); first += trees_at_once) {
    const auto some = std::min(trees_at_once, forest.trees.size() - first);
    auto again = run_tasks(control.threads, some, control.thread_started, [&](unsigned, std::size_t i) {
      samples.sample(tree_key(seed, first + i), drawn[i]);
      return !control.is_cancelled();
    });
    const auto tasks = (rows + rows_per_task - 1) / rows_per_task;
    auto walked = run_tasks(control.threads, tasks, control.thread_started, [&](unsigned, std::size_t task) {
      for (std::size_t i = 0; i < some; ++i) {
        for (auto row = task * rows_per_task; row < std::min(rows, (task + 1) * rows_per_task); ++row) {
          if (drawn[i][row] != 0) {
            continue;
          }
          ++out.trees[row];
          const auto* values = forest.values_of(leaf_of(forest.trees[first + i], data.features, row));
          for (std::size_t k = 0; k < forest.leaf_width; ++k) {
            out.sums[row * forest.leaf_width + k] += static_cast<double>(values[k]);
          }
        }
      }
      return !control.is_cancelled();
    });
    for (const auto& done : {again, walked}) {
      if (!done) {
        return done.error();
      }
    }
    if (control.is_cancelled()) {
      return fail(errc::failed, "training was cancelled");
    }
  }
  return out;
}

double accuracy_of(const training_data& data, const forest& forest, const votes& votes) {
  double right = 0;
  double rows = 0;
  for (std::size_t row = 0; row < votes.trees.size(); ++row) {
    if (votes.trees[row] == 0) {
      continue;
    }
    const auto* sums = votes.sums.data() + row * forest.leaf_width;
    const auto voted = forest.leaf_width == 1 ? static_cast<std::size_t>(2 * sums[0] > votes.trees[row])
                                              : most_probable({sums, forest.leaf_width});
    right += static_cast<double>(voted) == data.target(static_cast<Eigen::Index>(row)) ? 1 : 0;
    ++rows;
  }
  return rows > 0 ? right / rows : std::numeric_limits<double>::quiet_NaN();
}

double r2_of(const training_data& data, const forest& forest, const votes& votes) {
  double mean = 0;
  double rows = 0;
  for (std::size_t row = 0; row < votes.trees.size(); ++row) {
    if (votes.trees[row] != 0) {
      ++rows;
      mean += (data.target(static_cast<Eigen::Index>(row)) - mean) / rows;
    }
  }
  double missed = 0;
  double spread = 0;
  for (std::size_t row = 0; row < votes.trees.size(); ++row) {
    if (votes.trees[row] != 0) {
      const auto actual = data.target(static_cast<Eigen::Index>(row));
      const auto voted = forest.offset + forest.scale * votes.sums[row] / votes.trees[row];
      missed += (actual - voted) * (actual - voted);
      spread += (actual - mean) * (actual - mean);
    }
  }
  return spread > 0 ? 1 - missed / spread : std::numeric_limits<double>::quiet_NaN();
}

} // namespace

std::vector<double> importances_of(const std::vector<grown_tree>& trees, std::size_t features) {
  std::vector<double> sum(features);
  double trees_that_split = 0;
  for (const auto& tree : trees) {
    const auto all = std::accumulate(tree.decrease.begin(), tree.decrease.end(), 0.0);
    if (all > 0) {
      ++trees_that_split;
      for (std::size_t feature = 0; feature < features; ++feature) {
        sum[feature] += tree.decrease[feature] / all;
      }
    }
  }
  for (double& share : sum) {
    share /= std::max(trees_that_split, 1.0);
  }
  return sum;
}

result<std::map<std::string, double>> score_out_of_bag(const training_data& data, const forest& forest,
                                                       const bootstrap& samples, std::uint64_t seed,
                                                       const training_control& control) {
  const auto counted = count_votes(data, forest, samples, seed, control);
  if (!counted) {
    return counted.error();
  }
  const auto rows =
      counted->trees.size() - static_cast<std::size_t>(std::count(counted->trees.begin(), counted->trees.end(), 0U));
  std::map<std::string, double> metrics{{"oob_rows", static_cast<double>(rows)}};
  if (data.classes.empty()) {
    metrics["oob_r2"] = r2_of(data, forest, *counted);
  } else {
    metrics["oob_accuracy"] = accuracy_of(data, forest, *counted);
  }
  return metrics;
}

} // namespace penstock::ml
