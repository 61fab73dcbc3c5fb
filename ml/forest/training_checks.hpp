// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ml/forest/random_forest.hpp"

#include <vector>

namespace penstock::ml {

/// What a forest cannot learn from: `errc::invalid` for no rows, shapes that do not agree, numbers that are not finite,
/// classes that are missing.
[[nodiscard]] status check_training(const training_data& data, bool classifies);

/// Weight of each row, by its own and its class's; empty when all are equal. `errc::invalid` for weights that are
/// negative, not finite, or all zero; `errc::configuration` when there is no bootstrap to draw by them.
[[nodiscard]] result<std::vector<double>> weights_of_rows(const training_data& data,
                                                          const random_forest_parameters& parameters);

} // namespace penstock::ml
