// SPDX-License-Identifier: Apache-2.0
#include "base/file.hpp"
#include "ml/split.hpp"
#include "tests/support/california_housing.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <numeric>

namespace penstock::ml {
namespace {

nlohmann::json golden() {
  return nlohmann::json::parse(*read_file("tests/data/golden_sklearn.json")).at("cal_split");
}

TEST(split, gives_the_rows_of_scikit_learn) {
  const auto expected = golden();
  const auto parts = train_test_split(20640, 0.2, 42);
  EXPECT_EQ(parts.train.size(), expected.at("n_train"));
  EXPECT_EQ(parts.test.size(), expected.at("n_test"));
  const auto first = expected.at("first_test_rows_idx").get<std::vector<std::uint32_t>>();
  EXPECT_TRUE(std::equal(first.begin(), first.end(), parts.test.begin()));
}

TEST(split, sums_the_test_prices_of_scikit_learn) {
  const auto parts = train_test_split(20640, 0.2, 42);
  const auto prices = *testing::california_housing().target("target");
  double sum = 0;
  for (auto row : parts.test) {
    sum += prices(row);
  }
  EXPECT_NEAR(sum, golden().at("sum_ytest").get<double>(), 1e-8);
}

TEST(split, parts_hold_every_row_once) {
  for (std::uint32_t rows : {1U, 2U, 3U, 10U, 255U, 256U, 257U, 1000U}) {
    for (std::uint32_t seed : {0U, 1U, 4294967295U}) {
      const auto parts = train_test_split(rows, 0.3, seed);
      auto all = parts.train;
      all.insert(all.end(), parts.test.begin(), parts.test.end());
      std::sort(all.begin(), all.end());
      std::vector<std::uint32_t> expected(rows);
      std::iota(expected.begin(), expected.end(), 0U);
      EXPECT_EQ(all, expected) << rows << " rows, seed " << seed;
    }
  }
}

TEST(split, rounds_the_test_part_up) {
  EXPECT_EQ(train_test_split(10, 0.25, 0).test.size(), 3U);
  EXPECT_EQ(train_test_split(16512, 0.2, 42).test.size(), 3303U);
}

// numpy.random.RandomState(0).permutation(10)
TEST(split, permutes_as_numpy_does) {
  const auto parts = train_test_split(10, 0.5, 0);
  EXPECT_EQ(parts.test, (std::vector<std::uint32_t>{2, 8, 4, 9, 1}));
  EXPECT_EQ(parts.train, (std::vector<std::uint32_t>{6, 7, 3, 0, 5}));
}

} // namespace
} // namespace penstock::ml
