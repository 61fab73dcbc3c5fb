// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

namespace penstock::ml {

/// A sum of float64 whose error does not grow with the number of terms (A. Neumaier, "Rundungsfehleranalyse einiger
/// Verfahren zur Summation endlicher Summen", ZAMM 54, 1974). What overflows is infinite, as in a plain sum.
class compensated_sum {
public:
  void add(double term) {
    const double sum = sum_ + term;
    lost_ += std::abs(sum_) >= std::abs(term) ? (sum_ - sum) + term : (term - sum) + sum_;
    sum_ = sum;
  }
  [[nodiscard]] double value() const { return std::isfinite(sum_) ? sum_ + lost_ : sum_; }

private:
  double sum_ = 0;
  double lost_ = 0;
};

} // namespace penstock::ml
