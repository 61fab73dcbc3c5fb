// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <span>
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

/// The rows of scikit-learn 1.9's `train_test_split(test_size=…, random_state=seed, stratify=classes)`: both parts hold
/// the classes in the shares of the whole, and the test part ceil(n·test_size) rows.
/// @param classes    class number of each row, 1 ≤ n < 2³²; the numbers may have gaps
/// @param test_size  in (0, 1)
/// `errc::invalid` for no or too many rows, a `test_size` out of its bounds, a class of one row, or a part with fewer
/// rows than there are classes; the text names the class by its number.
[[nodiscard]] result<split_indices> stratified_train_test_split(std::span<const std::uint32_t> classes,
                                                                double test_size, std::uint32_t seed);

} // namespace penstock::ml
