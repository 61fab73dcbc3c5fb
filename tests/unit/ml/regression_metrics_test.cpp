// SPDX-License-Identifier: Apache-2.0
#include "base/file.hpp"
#include "ml/metrics.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <limits>
#include <vector>

namespace penstock::ml {
namespace {

// The example in scikit-learn's documentation of these functions.
TEST(regression_metrics, agree_with_scikit_learn) {
  const std::vector<double> actual{3, -0.5, 2, 7};
  const std::vector<double> predicted{2.5, 0.0, 2, 8};
  const auto found = regression(actual, predicted);
  EXPECT_DOUBLE_EQ(found.rmse, std::sqrt(0.375));
  EXPECT_DOUBLE_EQ(found.mae, 0.5);
  EXPECT_NEAR(found.r2, 0.9486081370449679, 1e-15);
}

TEST(regression_metrics, agree_with_scikit_learn_on_real_data) {
  const auto golden = nlohmann::json::parse(*read_file("tests/data/golden_regression.json")).at("regressions");
  ASSERT_FALSE(golden.empty());
  for (const auto& expected : golden) {
    SCOPED_TRACE(expected.at("name"));
    const auto found = by_name(regression(expected.at("actual").get<std::vector<double>>(),
                                          expected.at("predicted").get<std::vector<double>>()));
    ASSERT_EQ(found.size(), expected.at("metrics").size());
    for (const auto& [name, figure] : expected.at("metrics").items()) {
      ASSERT_TRUE(found.contains(name)) << name;
      EXPECT_NEAR(found.at(name), figure.get<double>(), 1e-12 * std::abs(figure.get<double>())) << name;
    }
  }
}

TEST(regression_metrics, r2_of_a_constant_target_is_one_when_met_and_zero_when_missed) {
  const std::vector<double> actual{2, 2, 2};
  EXPECT_EQ(regression(actual, actual).r2, 1);
  EXPECT_EQ(regression(actual, std::vector<double>{2, 2, 3}).r2, 0);
}

// Ten times 0.1 is less than 1 in float64: a mean that is off by one unit would give a target that seems to vary.
TEST(regression_metrics, r2_knows_a_constant_target_whose_sum_is_rounded) {
  for (const double value : {0.1, 1.1, 1e-300, 1.7e9 + 0.3}) {
    for (const std::size_t rows : {3U, 10U, 49U, 1000U}) {
      const std::vector<double> actual(rows, value);
      auto predicted = actual;
      EXPECT_EQ(regression(actual, predicted).r2, 1) << rows << " × " << value;
      predicted.back() += 1;
      EXPECT_EQ(regression(actual, predicted).r2, 0) << rows << " × " << value;
    }
  }
}

TEST(regression_metrics, one_row_is_enough) {
  const std::vector<double> one{4};
  const auto found = regression(one, std::vector<double>{5});
  EXPECT_EQ(found.rmse, 1);
  EXPECT_EQ(found.mae, 1);
  EXPECT_EQ(found.r2, 0);
}

// Beside 2^54 each single error of 1 is below the last digit; a thousand of them are not.
TEST(regression_metrics, many_small_errors_count_beside_a_large_one) {
  std::vector<double> actual(1001, 0);
  std::vector<double> predicted(1001, 1);
  actual[0] = 1; // so that the target is not constant
  predicted[0] = 1 + 0x1p54;
  EXPECT_EQ(regression(actual, predicted).mae, (0x1p54 + 1000) / 1001);
  predicted[0] = 1 + 0x1p27; // its square is 2^54
  const auto found = regression(actual, predicted);
  EXPECT_EQ(found.rmse, std::sqrt((0x1p54 + 1000) / 1001));
  EXPECT_DOUBLE_EQ(found.r2, 1 - (0x1p54 + 1000) / (1000.0 / 1001));
}

// The mean is 0 and always predicted, so both sums of squares are 2^55 + 1000: r2 is 0 only if neither loses the small.
TEST(regression_metrics, both_sums_of_r2_keep_many_small_deviations) {
  std::vector<double> actual{0x1p27, -0x1p27};
  for (int i = 0; i < 500; ++i)
    actual.insert(actual.end(), {1.0, -1.0});
  EXPECT_EQ(regression(actual, std::vector<double>(actual.size(), 0.0)).r2, 0);
}

TEST(regression_metrics, leave_out_by_name_what_overflows) {
  const std::vector<double> actual{1e300, -1e300};
  const auto found = regression(actual, std::vector<double>{-1e300, 1e300});
  EXPECT_EQ(found.rmse, std::numeric_limits<double>::infinity());
  const auto named = by_name(found);
  EXPECT_FALSE(named.contains("rmse"));
  EXPECT_FALSE(named.contains("r2"));
  EXPECT_EQ(named.at("mae"), 2e300);
}

} // namespace
} // namespace penstock::ml
