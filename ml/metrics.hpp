// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace penstock::ml {

// -- regression ---------------------------------------------------------------

/// Errors of a regression, as scikit-learn's `root_mean_squared_error`, `mean_absolute_error`, `r2_score`. In the unit
/// of the target, but for `r2`.
struct regression_metrics {
  double rmse = 0;
  double mae = 0;
  double r2 = 0; ///< 1 − Σ(y−p)² / Σ(y−ȳ)²; 0 when the target is constant and missed, 1 when it is met
};

/// Both spans have the same length, at least one. The sums are compensated, so that millions of rows lose no digits.
[[nodiscard]] regression_metrics regression(std::span<const double> actual, std::span<const double> predicted);

// -- classification -----------------------------------------------------------

/// Precision, recall and their harmonic mean, each in [0, 1]. A quotient with nothing below is 0, as scikit-learn has
/// it with `zero_division=0`: the precision of a class that is never predicted, the recall of one that is never actual.
struct precision_recall {
  double precision = 0; ///< of the rows predicted as the class, the share that is of it
  double recall = 0;    ///< of the rows of the class, the share predicted as it
  double f1 = 0;        ///< 2·tp / (actual + predicted)
};

/// Figures of a classification into C classes, as scikit-learn 1.9 gives them. The predicted class of a row is the most
/// probable one, of equals the lowest. What is not defined is NaN.
struct classification_metrics {
  std::size_t classes = 0; ///< C
  double accuracy = 0;     ///< share of the rows predicted right
  precision_recall binary; ///< of class 1; only when C = 2, otherwise NaN

  /// Averages over the classes that are actual or predicted in at least one row (scikit-learn's default `labels`), and
  /// the same weighted by the actual rows of each class.
  precision_recall macro;
  precision_recall weighted;

  /// Areas under the ROC curve, computed in integers as the Mann–Whitney statistic U / (P·N) with ties counted as one
  /// half (Hanley and McNeil, Radiology 143, 1982): they do not depend on the order of the rows.
  double roc_auc = 0;     ///< class 1 against class 0; only when C = 2. NaN when one of them is not actual
  double roc_auc_ovr = 0; ///< mean of each class against the rest; only when C > 2. NaN when a class is not actual
  double roc_auc_ovr_weighted = 0; ///< the same weighted by actual rows. NaN when only one class is actual

  /// Mean of −ln of the actual class's probability, clipped to [ε, 1 − ε] with ε = 2⁻⁵²; nats. Rows are taken to sum to
  /// one and are not scaled.
  double log_loss = 0;

  std::vector<std::uint64_t> confusion; ///< rows by actual and predicted class, C×C row-major, rows = actual
};

/// Classes that `classification` takes at most; the confusion matrix of so many has 128 MiB.
inline constexpr std::size_t most_classes = 4096;

/// Measures a classification.
/// @param actual         n numbers of classes 0 … C−1, 1 ≤ n < 2³²
/// @param probabilities  n×C float64, row-major
/// @param classes        C, 2 … `most_classes`
/// `errc::invalid` for a number of classes or rows out of these bounds, a class that is not below C, a probability that
/// is not in [0, 1] (but for 10⁻⁶ that rounding may take it beyond); `errc::internal` when the lengths do not fit.
[[nodiscard]] result<classification_metrics> classification(std::span<const std::uint32_t> actual,
                                                            std::span<const double> probabilities, std::size_t classes);

// -- by name ------------------------------------------------------------------

/// `rmse`, `mae`, `r2`. What is not finite is left out.
[[nodiscard]] std::map<std::string, double> by_name(const regression_metrics& metrics);

/// The figures under the names of scikit-learn's scorers: `accuracy`, `log_loss`; `precision`, `recall`, `f1`, each
/// also with `_macro` and `_weighted`; `roc_auc`, or with more than two classes `roc_auc_ovr` and
/// `roc_auc_ovr_weighted` (and no plain `precision`, `recall`, `f1`). What is not defined is left out.
[[nodiscard]] std::map<std::string, double> by_name(const classification_metrics& metrics);

} // namespace penstock::ml
