// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ml/data_set.hpp"

#include <cstdint>
#include <span>

namespace penstock::testing {

/// The California Housing data of data/, read from the repository's root, the working directory of the tests. A file
/// that is not there ends the test program.
[[nodiscard]] const ml::data_set& california_housing();

struct regression_rows {
  ml::column_matrix features; ///< for training
  ml::row_matrix rows;        ///< the same for scoring
  ml::vector target;
};

/// The eight features and the price of some rows.
[[nodiscard]] regression_rows california_rows(std::span<const std::uint32_t> indices);

} // namespace penstock::testing
