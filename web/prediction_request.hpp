// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "ml/model_package.hpp"
#include "web/node_json.hpp"

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::web {

/// Feature rows of a request, in the model's order: n×features float32, row-major, NaN = missing.
struct feature_rows {
  std::vector<float> values;
  std::size_t count = 0;
};

/// Reads `{"instances": […]}`: each an object by feature name (fields that are no features are ignored) or an array of
/// all features in the model's order. `errc::invalid` says which instance and field is wrong and why.
[[nodiscard]] result<feature_rows> read_instances(std::string_view body, const ml::schema& features);

/// One row of a JSON object by feature name.
[[nodiscard]] result<feature_rows> read_row(const document& named, const ml::schema& features);

/// One row of a form: text by feature name. An empty text is a missing value.
[[nodiscard]] result<feature_rows> read_row(const std::map<std::string, std::string>& form, const ml::schema& features);

/// Scores rows: n×outputs of the model, row-major.
[[nodiscard]] std::vector<double> predict(const ml::model_package& package, const feature_rows& rows);

/// Names of the classes that a model tells apart, in the order of its outputs; empty when it predicts a number.
[[nodiscard]] const std::vector<std::string>& classes_of(const ml::model_package& package);

/// The prediction of one row as JSON: a number that reads back as the same bits, or the most probable class as a
/// number, a string, true or false, by the type of the labels that it was trained with.
/// @param answer  the model's outputs for the row
[[nodiscard]] std::string prediction_json(const ml::model_package& package, std::span<const double> answer);

/// `{"no": 0.25, "yes": 0.75}`. Only for a model with classes.
[[nodiscard]] std::string probabilities_json(const ml::model_package& package, std::span<const double> answer);

/// The shortest text that reads back as the same bits; `null` for what JSON cannot say.
[[nodiscard]] std::string number_text(double value);

} // namespace penstock::web
