// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "ml/forest/value_order.hpp"
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
  /// Features that stand together in a histogram; rows are padded to a multiple of it with code 0.
  static constexpr std::size_t group = 8;

  std::size_t rows = 0;
  std::size_t features = 0;
  std::size_t stride = 0;               ///< bytes of a row: features rounded up to whole groups
  std::vector<std::uint8_t> codes;      ///< rows×stride, row-major
  std::vector<std::vector<float>> cuts; ///< per feature, ascending, at most 254: x <= cuts[b] ⇔ code of x <= b
  std::vector<bool> has_missing;        ///< per feature

  [[nodiscard]] const std::uint8_t* row(std::size_t i) const { return codes.data() + i * stride; }
  [[nodiscard]] std::size_t groups() const { return stride / group; }
};

/// Cuts between the bins of one feature: midpoints between neighbouring observed values, so chosen that the bins hold
/// about the same number of values. With at most 255 distinct values each has a bin of its own.
/// @param values  any order, none missing; is sorted
[[nodiscard]] std::vector<float> quantile_cuts(std::vector<float>& values);
[[nodiscard]] std::vector<float> quantile_cuts(std::vector<float>& values, sort_memory& memory);

/// Bins all features on `control.threads` threads. The result depends neither on their number nor on the instructions.
/// When cancelled it stops early, and what it returns is of no use.
[[nodiscard]] result<binned_features> bin(const column_matrix& features, const training_control& control);

} // namespace penstock::ml
