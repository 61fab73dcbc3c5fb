// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ml/forest/forest.hpp"
#include "ml/matrix.hpp"

#include <cstdint>
#include <vector>

namespace penstock::testing {

struct reference_parameters {
  std::uint32_t trees = 1;
  std::uint32_t max_depth = 1000;
  std::uint32_t min_samples_split = 2;
  std::uint32_t min_samples_leaf = 1;
  std::size_t max_features = 1000;
  std::uint32_t seed = 0;
  bool bootstrap = true;
  std::vector<double> weights{}; ///< of the rows; empty = all the same
  std::size_t classes = 0;       ///< 0 = a regression
};

/// The rules by which random forests grow their trees, written down as simply as they can be: every candidate is tried
/// on the raw values of every row, sums are made anew each time, one thread, recursion. Shares with the real trainer
/// the cuts, the random numbers and the samples, nothing else. For small data.
[[nodiscard]] ml::forest grow_reference_forest(const ml::column_matrix& features, const ml::vector& target,
                                               const reference_parameters& parameters);

/// The sums that `ml::forest` defines, `leaf_width` of them, by walking the nodes.
[[nodiscard]] std::vector<float> sum_reference_leaves(const ml::forest& forest, const float* row);

} // namespace penstock::testing
