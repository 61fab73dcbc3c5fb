// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "ml/learner.hpp"
#include "ml/matrix.hpp"

#include <cstdint>
#include <vector>

namespace penstock::ml {

/// Code of a missing value. Values have the codes 0 … 254.
inline constexpr std::uint8_t missing_code = 255;
inline constexpr std::size_t most_bins = 255;

/// The features of a training as one-byte codes of quantile bins.
struct binned_features {
  std::size_t rows = 0;
  std::size_t features = 0;
  std::vector<std::uint8_t> codes;      ///< rows×features, row-major
  std::vector<std::vector<float>> cuts; ///< per feature, ascending, at most 254: x <= cuts[b] ⇔ code of x <= b

  [[nodiscard]] const std::uint8_t* row(std::size_t i) const { return codes.data() + i * features; }
};

/// Cuts between the bins of one feature: midpoints between neighbouring observed values, so chosen that the bins hold
/// about the same number of values. With at most 255 distinct values each has a bin of its own.
/// @param values  any order, none missing; is sorted
[[nodiscard]] std::vector<float> quantile_cuts(std::vector<float>& values);

/// Bins all features on `control.threads` threads. The result does not depend on their number.
/// When cancelled it stops early, and what it returns is of no use.
[[nodiscard]] result<binned_features> bin(const column_matrix& features, const training_control& control);

} // namespace penstock::ml
