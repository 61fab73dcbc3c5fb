// SPDX-License-Identifier: Apache-2.0
#include "ml/compensated_sum.hpp"
#include "ml/metrics.hpp"

#include <cmath>
#include <cstddef>

namespace penstock::ml {

namespace {

/// Taken from the first value on: the mean of equal values is that value to the last bit.
double mean_of(std::span<const double> values) {
  compensated_sum beyond_first;
  for (const double value : values)
    beyond_first.add(value - values.front());
  return values.front() + beyond_first.value() / static_cast<double>(values.size());
}

} // namespace

regression_metrics regression(std::span<const double> actual, std::span<const double> predicted) {
  const double mean = mean_of(actual);
  compensated_sum squared;
  compensated_sum absolute;
  compensated_sum total;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double error = actual[i] - predicted[i];
    squared.add(error * error);
    absolute.add(std::abs(error));
    total.add((actual[i] - mean) * (actual[i] - mean));
  }
  const auto n = static_cast<double>(actual.size());
  regression_metrics metrics{std::sqrt(squared.value() / n), absolute.value() / n, 0};
  if (total.value() > 0) {
    metrics.r2 = 1 - squared.value() / total.value();
  } else {
    metrics.r2 = squared.value() == 0 ? 1 : 0;
  }
  return metrics;
}

std::map<std::string, double> by_name(const regression_metrics& metrics) {
  std::map<std::string, double> figures{{"rmse", metrics.rmse}, {"mae", metrics.mae}, {"r2", metrics.r2}};
  std::erase_if(figures, [](const auto& figure) { return !std::isfinite(figure.second); });
  return figures;
}

} // namespace penstock::ml
