// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ml/forest/forest.hpp"
#include "ml/forest/forest_kernel.hpp"
#include "ml/learner.hpp"

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::ml {

/// Parameters of `random_forest_regressor` and `random_forest_classifier`, with scikit-learn's names and defaults
/// (`max_features`: all for a regression, sqrt for a classification). One deviation: `min_samples_split` and
/// `min_samples_leaf` count bootstrap draws, so that a row drawn twice counts twice.
struct random_forest_parameters {
  static constexpr std::uint32_t no_limit = std::numeric_limits<std::uint32_t>::max();

  std::uint32_t n_estimators = 100;
  std::uint32_t max_depth = no_limit;
  std::uint32_t min_samples_split = 2;
  std::uint32_t min_samples_leaf = 1;
  std::string max_features = "all"; ///< `all`, `sqrt`, `third`, a number, or a fraction in (0, 1] with a point
  std::uint32_t random_state = 0;
  bool bootstrap = true;
  bool oob_score = false;
  std::string class_weight; ///< classification: empty, `balanced`, or weights of classes: `no: 1, yes: 2.5`

  /// Names of the parameters, as `make` knows them.
  static const std::vector<std::string>& names(bool classifies);
  /// `errc::configuration` for an unknown name or a value out of bounds.
  static result<random_forest_parameters> make(const std::map<std::string, std::string>& values, bool classifies);
  /// How many of `features` a split looks at: 1 … features.
  [[nodiscard]] std::size_t features_per_split(std::size_t features) const;
  /// Weight of each class for data that has `counts` rows of it. `errc::configuration` names a class that is unknown.
  [[nodiscard]] result<std::vector<double>> class_weights(const std::vector<std::string>& classes,
                                                          const std::vector<std::size_t>& counts) const;
};

/// Averages trees that are grown on bootstrap samples (Breiman, Machine Learning 45, 2001): regression trees by least
/// squares, classification trees by Gini impurity, over histograms of at most 255 quantile bins a feature.
///
/// Splits are found in integers (a regression's target in 16-bit fixed point), so no order of additions, no number of
/// threads and no instruction set can change a model. The fixed point spans the range of the target: one far outlier
/// costs the others resolution. Weights of rows and classes are the odds of being drawn into a bootstrap sample (as in
/// Chen, Liaw, Breiman, "Using random forest to learn imbalanced data", 2004); without bootstrap there are none.
class random_forest : public learner {
public:
  random_forest(random_forest_parameters parameters, bool classifies)
      : parameters_(std::move(parameters)), classifies_(classifies) {}

  bool classifies() const override { return classifies_; }
  result<trained_model> train(const training_data& data, const training_control& control) const override;

private:
  random_forest_parameters parameters_;
  bool classifies_;
};

/// A forest laid out for prediction.
class random_forest_model : public model {
public:
  static constexpr std::string_view regressor_name = "random_forest_regressor";
  static constexpr std::string_view classifier_name = "random_forest_classifier";

  /// @param classes  2 or more, or 0 for a regression
  random_forest_model(const forest& trees, std::size_t classes);

  std::string_view type() const override { return classes_ == 0 ? regressor_name : classifier_name; }
  std::size_t features() const override { return features_; }
  std::size_t outputs() const override { return classes_ == 0 ? 1 : classes_; }
  void predict(std::span<const float> rows, std::span<double> out) const override;
  kernel_description kernel() const override;
  std::size_t memory() const override;

  /// The durable form of such a model.
  [[nodiscard]] static std::string encode(const forest& trees, std::size_t classes);
  /// The same with the trees as `encode_tree` made them; of the forest the head alone is looked at.
  [[nodiscard]] static std::string encode(const forest& head, std::size_t classes, std::span<const std::string> trees);
  /// What `decode_model` calls with the inside of it.
  [[nodiscard]] static result<std::unique_ptr<model>> decode_regressor(std::string_view payload);
  [[nodiscard]] static result<std::unique_ptr<model>> decode_classifier(std::string_view payload);
  /// Values of a leaf: two classes share one number.
  [[nodiscard]] static std::size_t leaf_width(std::size_t classes) { return classes <= 2 ? 1 : classes; }

private:
  std::size_t features_;
  std::size_t classes_;
  std::size_t leaf_width_;
  leaf_mean mean_;
  std::unique_ptr<forest_kernel> kernel_;
};

} // namespace penstock::ml
