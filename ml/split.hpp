// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace penstock::ml {

/// Row indices of the two parts of a data set, each in the order in which scikit-learn returns them.
struct split_indices {
  std::vector<std::uint32_t> train;
  std::vector<std::uint32_t> test;
};

/// The rows of scikit-learn's `train_test_split(test_size=…, random_state=seed)` without stratification: NumPy's legacy
/// permutation (MT19937, `RandomState.permutation`); the first ceil(n·test_size) of it are the test part, the next
/// n − that the training part.
/// @param test_size  in (0, 1)
[[nodiscard]] split_indices train_test_split(std::uint32_t rows, double test_size, std::uint32_t seed);

} // namespace penstock::ml
