// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

namespace penstock::ml {

/// Errors of a regression, as scikit-learn's `root_mean_squared_error`, `mean_absolute_error`, `r2_score`.
struct regression_metrics {
  double rmse = 0;
  double mae = 0;
  double r2 = 0; ///< 1 − Σ(y−p)² / Σ(y−ȳ)²; 0 when the target is constant and missed, 1 when it is met
};

/// Both spans have the same length, at least one.
[[nodiscard]] regression_metrics regression(std::span<const double> actual, std::span<const double> predicted);

} // namespace penstock::ml
