// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/random_forest.hpp"

#include "base/units.hpp"
#include "ml/forest/binner.hpp"
#include "ml/forest/class_tree_grower.hpp"
#include "ml/forest/forest_random.hpp"
#include "ml/forest/out_of_bag.hpp"
#include "ml/forest/training_checks.hpp"
#include "ml/forest/tree_grower.hpp"
#include "ml/training_threads.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <optional>

namespace penstock::ml {

namespace {

/// Puts the target of a regression into the units of growth: offset and scale into `to`, both forms of the target into
/// `data`.
void place_target(const vector& target, forest& to, growth_data& data) {
  const auto [least, most] = std::minmax_element(target.begin(), target.end());
  const double low = *least;
  const double range = *most - low;
  to.offset = low + range / 2;
  int exponent = 0;
  std::frexp(range, &exponent);
  to.scale = range > 0 ? std::max(std::ldexp(1.0, exponent), std::numeric_limits<double>::min()) : 1;
  constexpr double steps = std::numeric_limits<std::uint16_t>::max();
  for (double y : target) {
    data.target.push_back(range > 0 ? static_cast<std::uint16_t>(std::floor((y - low) / range * steps + 0.5))
                                    : std::uint16_t{0});
    data.deviation.push_back(static_cast<float>((y - to.offset) / to.scale));
  }
}

void place_classes(const vector& target, std::size_t classes, forest& to, growth_data& data) {
  to.leaf_width = random_forest_model::leaf_width(classes);
  data.classes = classes;
  for (double number : target) {
    data.target.push_back(static_cast<std::uint16_t>(number));
    if (classes == 2) {
      data.deviation.push_back(static_cast<float>(number));
    }
  }
}

/// The trees of a forest as they come out of their growers.
struct grown_forest {
  explicit grown_forest(std::size_t count) : trees(count), encoded(count) {}

  std::vector<grown_tree> trees;
  std::vector<std::string> encoded; ///< each of them, written while it is in the first caches
};

/// Grows trees with one grower per thread.
template <class Make>
status grow_trees(std::uint64_t seed, std::size_t leaf_width, const training_control& control, unsigned threads,
                  grown_forest& into, Make make) {
  std::vector<decltype(make())> growers(threads);
  std::mutex progress_lock;
  std::size_t done = 0;
  const auto count = into.trees.size();
  return run_tasks(threads, count, control.thread_started, [&](unsigned worker, std::size_t number) {
    if (!growers[worker]) {
      growers[worker] = make();
    }
    auto grown = growers[worker]->grow(tree_key(seed, number), control);
    if (!grown) {
      return false;
    }
    into.encoded[number] = encode_tree(grown->nodes, grown->values.data(), leaf_width);
    into.trees[number] = *std::move(grown);
    if (control.progress) {
      const std::scoped_lock lock(progress_lock);
      control.progress(static_cast<double>(++done) / static_cast<double>(count));
    }
    return true;
  });
}

status grow_all(const growth_data& data, const growth_limits& limits, const bootstrap& samples, std::uint64_t seed,
                const training_control& control, unsigned threads, grown_forest& into) {
  if (data.classes <= 2) {
    return grow_trees(seed, 1, control, threads, into,
                      [&] { return std::make_unique<tree_grower>(data, limits, samples, control.instructions); });
  }
  return grow_trees(seed, data.classes, control, threads, into,
                    [&] { return std::make_unique<class_tree_grower>(data, limits, samples); });
}

/// Moves the trees into the forest. Wide leaves, numbered from 0 in each tree, get their place in the forest's values.
void collect(std::vector<grown_tree> trees, forest& into) {
  for (auto& tree : trees) {
    if (into.leaf_width > 1) {
      const auto before = static_cast<std::uint32_t>(into.values.size() / into.leaf_width);
      for (auto& node : tree.nodes) {
        node.right += node.is_leaf() ? before : 0;
      }
      into.values.insert(into.values.end(), tree.values.begin(), tree.values.end());
      tree.values = {};
    }
    into.trees.push_back(std::move(tree.nodes));
  }
}

/// Rows of a bootstrap sample of equal odds: 1 − 1/e of all, and more than it will ever be beyond that.
std::size_t rows_drawn(std::size_t rows) {
  return std::min(rows, rows * 64 / 100 + 10'000);
}

/// Threads that fit the budget of memory.
result<unsigned> threads_within(const training_control& control, std::size_t rows, std::size_t drawn,
                                std::size_t features, std::size_t classes) {
  const auto threads = std::max(control.threads, 1U);
  if (control.memory_budget == 0) {
    return threads;
  }
  constexpr std::size_t group = binned_features::group;
  const auto codes = rows * ((features + group - 1) / group * group);
  const auto targets = rows * (sizeof(std::uint16_t) + sizeof(float));
  const auto grower =
      classes > 2 ? class_tree_grower::memory(rows, features, classes) : tree_grower::memory(rows, drawn, features);
  const auto sorting = 3 * rows * sizeof(float); // of a column, for its cuts, before there are codes
  const auto shared = codes + targets;
  const auto each = std::max(grower, sorting);
  if (shared + each > control.memory_budget) {
    return fail(errc::failed,
                "training on {} rows × {} features needs {} of memory, allowed are {}; raise the limit or use fewer "
                "rows",
                rows, features, format_size(shared + each), format_size(control.memory_budget));
  }
  return static_cast<unsigned>(std::min<std::size_t>(threads, (control.memory_budget - shared) / each));
}

} // namespace

result<trained_model> random_forest::train(const training_data& data, const training_control& control) const {
  if (auto checked = check_training(data, classifies_); !checked) {
    return checked.error();
  }
  const auto rows = static_cast<std::size_t>(data.features.rows());
  forest forest;
  forest.features = static_cast<std::size_t>(data.features.cols());
  auto weights = weights_of_rows(data, parameters_);
  if (!weights) {
    return weights.error();
  }
  const auto drawn = parameters_.bootstrap && weights->empty() ? rows_drawn(rows) : rows;
  const auto threads = threads_within(control, rows, drawn, forest.features, data.classes.size());
  if (!threads) {
    return threads.error();
  }
  growth_data growth;
  growth.target.reserve(rows);
  growth.deviation.reserve(rows);
  if (classifies_) {
    place_classes(data.target, data.classes.size(), forest, growth);
  } else {
    place_target(data.target, forest, growth);
  }
  auto binned = bin(data.features, control);
  if (!binned) {
    return binned.error();
  }
  growth.features = *std::move(binned);
  const auto samples = parameters_.bootstrap ? bootstrap::draws(rows, *weights) : bootstrap::none(rows);
  const growth_limits limits{parameters_.max_depth, parameters_.min_samples_split, parameters_.min_samples_leaf,
                             parameters_.features_per_split(forest.features)};
  grown_forest grown(parameters_.n_estimators);
  if (auto done = grow_all(growth, limits, samples, parameters_.random_state, control, *threads, grown); !done) {
    return done.error();
  }
  if (control.is_cancelled()) {
    return fail(errc::failed, "training was cancelled");
  }
  trained_model trained;
  trained.importances = importances_of(grown.trees, forest.features);
  collect(std::move(grown.trees), forest);
  if (parameters_.oob_score) {
    auto scored = score_out_of_bag(data, forest, samples, parameters_.random_state, control);
    if (!scored) {
      return scored.error();
    }
    trained.metrics = *std::move(scored);
  }
  const auto classes = data.classes.size();
  trained.encoded = random_forest_model::encode(forest, classes, grown.encoded);
  trained.model = std::make_unique<random_forest_model>(forest, classes);
  return trained;
}

} // namespace penstock::ml
