// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ml/forest/bootstrap.hpp"
#include "ml/forest/growth.hpp"
#include "ml/learner.hpp"

#include <map>
#include <string>
#include <vector>

namespace penstock::ml {

/// Impurity-based importances as scikit-learn defines them: of each tree the decrease that each feature's splits made,
/// as shares of the tree's sum; their mean over the trees that split at all, scaled to a sum of 1. All 0 when none
/// does.
[[nodiscard]] std::vector<double> importances_of(const std::vector<grown_tree>& trees, std::size_t features);

/// Scores every row by the trees whose sample it is not in: `oob_r2` of a regression, `oob_accuracy` of a
/// classification, over the `oob_rows` for which there is such a tree. The rest has no say; NaN when there is no row.
[[nodiscard]] result<std::map<std::string, double>> score_out_of_bag(const training_data& data, const forest& forest,
                                                                     const bootstrap& samples, std::uint64_t seed,
                                                                     const training_control& control);

} // namespace penstock::ml
