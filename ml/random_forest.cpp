// SPDX-License-Identifier: Apache-2.0
#include "ml/random_forest.hpp"

#include "ml/binner.hpp"
#include "ml/forest_random.hpp"
#include "ml/model_codec.hpp"
#include "ml/training_threads.hpp"
#include "ml/tree_grower.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <optional>

namespace penstock::ml {

namespace {

status check_shape(const training_data& data) {
  const auto rows = static_cast<std::size_t>(data.features.rows());
  const auto features = static_cast<std::size_t>(data.features.cols());
  if (rows == 0) {
    return fail(errc::invalid, "training: there are no rows to learn from");
  }
  if (rows > growth_data::max_rows) {
    return fail(errc::invalid, "training: {} rows are more than the {} a forest can be trained on; train on a sample",
                rows, growth_data::max_rows);
  }
  if (features == 0 || features > forest::max_features) {
    return fail(errc::invalid, "training: {} features; a forest takes 1 to {}", features, forest::max_features);
  }
  if (static_cast<std::size_t>(data.target.size()) != rows) {
    return fail(errc::invalid, "training: {} rows of features but {} targets", rows, data.target.size());
  }
  return {};
}

status check_values(const training_data& data) {
  for (Eigen::Index row = 0; row < data.target.size(); ++row) {
    if (!std::isfinite(data.target(row))) {
      return fail(errc::invalid, "training: the target of row {} is {}; it must be a finite number", row,
                  data.target(row));
    }
  }
  for (Eigen::Index feature = 0; feature < data.features.cols(); ++feature) {
    for (Eigen::Index row = 0; row < data.features.rows(); ++row) {
      if (std::isinf(data.features(row, feature))) {
        return fail(errc::invalid, "training: feature {} of row {} is infinite; give a number, or NaN for missing",
                    feature, row);
      }
    }
  }
  return {};
}

/// Puts the target into the units of growth: offset and scale into `to`, both forms of the target into `data`.
status place_target(const vector& target, forest& to, growth_data& data) {
  const auto [least, most] = std::minmax_element(target.begin(), target.end());
  const double low = *least;
  const double range = *most - low;
  constexpr double widest = 1e300; // leaves room for the scale, which is up to twice the range
  if (!(range <= widest)) {
    return fail(errc::invalid, "training: the target spans {} to {}; rescale it", low, *most);
  }
  to.offset = low + range / 2;
  int exponent = 0;
  std::frexp(range, &exponent);
  to.scale = range > 0 ? std::max(std::ldexp(1.0, exponent), std::numeric_limits<double>::min()) : 1;
  constexpr double steps = std::numeric_limits<std::uint16_t>::max();
  data.target.reserve(static_cast<std::size_t>(target.size()));
  data.deviation.reserve(static_cast<std::size_t>(target.size()));
  for (double y : target) {
    data.target.push_back(range > 0 ? static_cast<std::uint16_t>(std::floor((y - low) / range * steps + 0.5))
                                    : std::uint16_t{0});
    data.deviation.push_back((y - to.offset) / to.scale);
  }
  return {};
}

status grow_trees(const growth_data& data, const growth_limits& limits, std::uint64_t seed,
                  const training_control& control, std::vector<tree_nodes>& trees) {
  std::vector<std::optional<tree_grower>> growers(std::max(control.threads, 1U));
  std::mutex progress_lock;
  std::size_t done = 0;
  return run_tasks(control.threads, trees.size(), control.thread_started, [&](unsigned worker, std::size_t number) {
    if (!growers[worker]) {
      growers[worker].emplace(data, limits);
    }
    auto grown = growers[worker]->grow(tree_key(seed, number), control);
    if (!grown) {
      return false;
    }
    trees[number] = *std::move(grown);
    if (control.progress) {
      const std::scoped_lock lock(progress_lock);
      control.progress(static_cast<double>(++done) / static_cast<double>(trees.size()));
    }
    return true;
  });
}

} // namespace

result<std::unique_ptr<model>> random_forest_regressor::train(const training_data& data,
                                                              const training_control& control) const {
  for (auto checked : {check_shape(data), check_values(data)}) {
    if (!checked) {
      return checked.error();
    }
  }
  forest forest;
  forest.features = static_cast<std::size_t>(data.features.cols());
  growth_data growth;
  if (auto placed = place_target(data.target, forest, growth); !placed) {
    return placed.error();
  }
  auto binned = bin(data.features, control);
  if (!binned) {
    return binned.error();
  }
  growth.features = *std::move(binned);
  const growth_limits limits{parameters_.max_depth, parameters_.min_samples_split, parameters_.min_samples_leaf,
                             parameters_.features_per_split(forest.features), parameters_.bootstrap};
  forest.trees.resize(parameters_.n_estimators);
  auto grown = grow_trees(growth, limits, parameters_.random_state, control, forest.trees);
  if (!grown) {
    return grown.error();
  }
  if (control.is_cancelled()) {
    return fail(errc::failed, "training was cancelled");
  }
  return std::unique_ptr<model>(std::make_unique<random_forest_model>(std::move(forest)));
}

random_forest_model::random_forest_model(forest trees)
    : forest_(std::move(trees)), kernel_(make_forest_kernel(forest_)) {}

void random_forest_model::predict(std::span<const float> rows, std::span<double> out) const {
  kernel_->predict(rows, out);
}

std::string random_forest_model::encode() const {
  byte_writer payload;
  ml::encode(forest_, payload);
  return seal_model(type_name, payload.bytes());
}

std::size_t random_forest_model::memory() const {
  auto bytes = sizeof(*this) + kernel_->memory();
  for (const auto& tree : forest_.trees) {
    bytes += sizeof(tree) + tree.capacity() * sizeof(tree_node);
  }
  return bytes;
}

} // namespace penstock::ml
