// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ml/schema.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace penstock::web {

/// What the page with the form shows. Everything in it comes from models and clients and is escaped.
struct prediction_page {
  std::vector<std::string> models; ///< that can be chosen
  std::string model;               ///< the chosen one; empty = none there yet
  std::uint64_t version = 0;
  ml::schema features;
  std::string predicts;                                      ///< name of the predicted field
  std::map<std::string, std::string> values;                 ///< as they were sent, shown again
  std::optional<double> prediction;                          ///< of a model that predicts a number
  std::optional<std::string> predicted_class;                ///< of a classifier
  std::vector<std::pair<std::string, double>> probabilities; ///< its classes in their order
  std::string mistake; ///< what is wrong with the values, or why there is no model
};

/// The page: one labelled input per feature, its bounds as the schema states them, usable without script or style.
[[nodiscard]] std::string html_of(const prediction_page& page);

} // namespace penstock::web
