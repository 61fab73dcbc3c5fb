// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/training_checks.hpp"

#include "ml/forest/growth.hpp"

#include <algorithm>
#include <cmath>

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

status check_features(const training_data& data) {
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

status check_numbers(const vector& target) {
  for (Eigen::Index row = 0; row < target.size(); ++row) {
    if (!std::isfinite(target(row))) {
      return fail(errc::invalid, "training: the target of row {} is {}; it must be a finite number", row, target(row));
    }
  }
  const auto [low, high] = std::minmax_element(target.begin(), target.end());
  constexpr double widest = 1e300; // leaves room for the forest's scale, which is up to twice the range
  if (!(*high - *low <= widest)) {
    return fail(errc::invalid, "training: the target spans {} to {}; rescale it", *low, *high);
  }
  return {};
}

status check_classes(const training_data& data) {
  const auto classes = data.classes.size();
  if (classes < 2 || classes > forest::max_leaf_width) {
    return fail(errc::invalid, "training: {} classes; a classification has 2 to {}", classes, forest::max_leaf_width);
  }
  std::vector<bool> seen(classes);
  for (Eigen::Index row = 0; row < data.target.size(); ++row) {
    const auto number = data.target(row);
    if (!(number >= 0) || number >= static_cast<double>(classes) || number != std::floor(number)) {
      return fail(errc::invalid, "training: the target of row {} is {}, which is none of the {} classes", row, number,
                  classes);
    }
    seen[static_cast<std::size_t>(number)] = true;
  }
  if (std::count(seen.begin(), seen.end(), true) < 2) {
    return fail(errc::invalid, "training: all {} rows are of one class; there is nothing to tell apart",
                data.target.size());
  }
  return {};
}

} // namespace

status check_training(const training_data& data, bool classifies) {
  if (auto checked = check_shape(data); !checked) {
    return checked;
  }
  if (auto checked = classifies ? check_classes(data) : check_numbers(data.target); !checked) {
    return checked;
  }
  return check_features(data);
}

result<std::vector<double>> weights_of_rows(const training_data& data, const random_forest_parameters& parameters) {
  std::vector<double> weights;
  if (data.weights != nullptr) {
    if (!parameters.bootstrap) {
      return fail(errc::configuration, "random forest: weights of rows need bootstrap: true");
    }
    if (data.weights->size() != data.target.size()) {
      return fail(errc::invalid, "training: {} rows but {} weights", data.target.size(), data.weights->size());
    }
    weights.assign(data.weights->begin(), data.weights->end());
    for (std::size_t row = 0; row < weights.size(); ++row) {
      if (!(weights[row] >= 0) || !std::isfinite(weights[row])) {
        return fail(errc::invalid, "training: the weight of row {} is {}; it must be 0 or more", row, weights[row]);
      }
    }
  }
  if (!parameters.class_weight.empty()) {
    std::vector<std::size_t> counts(data.classes.size());
    for (double number : data.target) {
      ++counts[static_cast<std::size_t>(number)];
    }
    auto of_classes = parameters.class_weights(data.classes, counts);
    if (!of_classes) {
      return of_classes.error();
    }
    weights.resize(static_cast<std::size_t>(data.target.size()), 1);
    for (std::size_t row = 0; row < weights.size(); ++row) {
      weights[row] *= (*of_classes)[static_cast<std::size_t>(data.target(static_cast<Eigen::Index>(row)))];
    }
  }
  if (!weights.empty() && !(*std::max_element(weights.begin(), weights.end()) > 0)) {
    return fail(errc::invalid, "training: no row has a weight above 0");
  }
  return weights;
}

} // namespace penstock::ml
