// SPDX-License-Identifier: Apache-2.0
#include "ml/metrics.hpp"

#include <cmath>

namespace penstock::ml {

regression_metrics regression(std::span<const double> actual, std::span<const double> predicted) {
  const auto n = static_cast<double>(actual.size());
  double mean = 0;
  for (double y : actual) {
    mean += y;
  }
  mean /= n;
  double squared = 0;
  double absolute = 0;
  double total = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double error = actual[i] - predicted[i];
    squared += error * error;
    absolute += std::abs(error);
    total += (actual[i] - mean) * (actual[i] - mean);
  }
  regression_metrics metrics{std::sqrt(squared / n), absolute / n, 0};
  if (total > 0) {
    metrics.r2 = 1 - squared / total;
  } else {
    metrics.r2 = squared == 0 ? 1 : 0;
  }
  return metrics;
}

} // namespace penstock::ml
