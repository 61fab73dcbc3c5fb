// SPDX-License-Identifier: Apache-2.0
#include "ml/metrics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace penstock::ml {
namespace {

// The example in scikit-learn's documentation of these functions.
TEST(metrics, agree_with_scikit_learn) {
  const std::vector<double> actual{3, -0.5, 2, 7};
  const std::vector<double> predicted{2.5, 0.0, 2, 8};
  const auto found = regression(actual, predicted);
  EXPECT_DOUBLE_EQ(found.rmse, std::sqrt(0.375));
  EXPECT_DOUBLE_EQ(found.mae, 0.5);
  EXPECT_NEAR(found.r2, 0.9486081370449679, 1e-15);
}

TEST(metrics, r2_of_a_constant_target_is_one_when_met_and_zero_when_missed) {
  const std::vector<double> actual{2, 2, 2};
  EXPECT_EQ(regression(actual, actual).r2, 1);
  EXPECT_EQ(regression(actual, std::vector<double>{2, 2, 3}).r2, 0);
}

TEST(metrics, one_row_is_enough) {
  const std::vector<double> one{4};
  const auto found = regression(one, std::vector<double>{5});
  EXPECT_EQ(found.rmse, 1);
  EXPECT_EQ(found.mae, 1);
  EXPECT_EQ(found.r2, 0);
}

} // namespace
} // namespace penstock::ml
