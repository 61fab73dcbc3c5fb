// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ml/forest.hpp"
#include "ml/matrix.hpp"

#include <cstdint>

namespace penstock::testing {

struct reference_parameters {
  std::uint32_t trees = 1;
  std::uint32_t max_depth = 1000;
  std::uint32_t min_samples_split = 2;
  std::uint32_t min_samples_leaf = 1;
  std::size_t max_features = 1000;
  std::uint32_t seed = 0;
  bool bootstrap = true;
};

/// The rules by which `random_forest_regressor` grows its trees, written down as simply as they can be: every
/// candidate is tried on the raw values of every row, sums are made anew each time, one thread, recursion. Shares with
/// the real trainer the cuts and the random numbers, nothing else. For small data.
[[nodiscard]] ml::forest grow_reference_forest(const ml::column_matrix& features, const ml::vector& target,
                                               const reference_parameters& parameters);

/// The sum that `ml::forest` defines, by walking the nodes.
[[nodiscard]] double predict_reference(const ml::forest& forest, const float* row);

} // namespace penstock::testing
