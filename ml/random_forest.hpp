// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ml/forest.hpp"
#include "ml/forest_kernel.hpp"
#include "ml/learner.hpp"

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace penstock::ml {

/// Parameters of `random_forest_regressor`, with scikit-learn's names and defaults. One deviation: `min_samples_split`
/// and `min_samples_leaf` count bootstrap draws, so that a row drawn twice counts twice.
struct random_forest_parameters {
  static constexpr std::uint32_t no_limit = std::numeric_limits<std::uint32_t>::max();

  std::uint32_t n_estimators = 100;
  std::uint32_t max_depth = no_limit;
  std::uint32_t min_samples_split = 2;
  std::uint32_t min_samples_leaf = 1;
  std::string max_features = "all"; ///< `all`, `sqrt`, `third`, a number, or a fraction in (0, 1] with a point
  std::uint32_t random_state = 0;
  bool bootstrap = true;

  /// Names of the parameters, as `make` knows them.
  static const std::vector<std::string>& names();
  /// `errc::configuration` for an unknown name or a value out of bounds.
  static result<random_forest_parameters> make(const std::map<std::string, std::string>& values);
  /// How many of `features` a split looks at: 1 … features.
  [[nodiscard]] std::size_t features_per_split(std::size_t features) const;
};

/// Averages regression trees that are grown on bootstrap samples (Breiman, Machine Learning 45, 2001) by least squares
/// over histograms of at most 255 quantile bins a feature.
///
/// Splits are found in integers (the target in 16-bit fixed point), so no order of additions and no number of threads
/// can change a model. The fixed point spans the range of the target: one far outlier costs the others resolution.
class random_forest_regressor : public learner {
public:
  explicit random_forest_regressor(random_forest_parameters parameters) : parameters_(std::move(parameters)) {}

  result<std::unique_ptr<model>> train(const training_data& data, const training_control& control) const override;

private:
  random_forest_parameters parameters_;
};

/// A forest and its kernel.
class random_forest_model : public model {
public:
  static constexpr std::string_view type_name = "random_forest_regressor";

  explicit random_forest_model(forest trees);

  std::string_view type() const override { return type_name; }
  std::size_t features() const override { return forest_.features; }
  void predict(std::span<const float> rows, std::span<double> out) const override;
  std::string encode() const override;
  std::size_t memory() const override;

  [[nodiscard]] const forest& trees() const { return forest_; }

private:
  forest forest_;
  std::unique_ptr<forest_kernel> kernel_;
};

} // namespace penstock::ml
