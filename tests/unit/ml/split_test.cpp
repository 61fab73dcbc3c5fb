// SPDX-License-Identifier: Apache-2.0
#include "base/file.hpp"
#include "ml/data_set.hpp"
#include "ml/split.hpp"
#include "tests/support/california_housing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>
#include <map>
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

using indices = std::vector<std::uint32_t>;
using ::testing::HasSubstr;

TEST(stratified_split, gives_the_rows_of_scikit_learn) {
  const auto golden = nlohmann::json::parse(*read_file("tests/data/golden_classification.json")).at("splits");
  ASSERT_GE(golden.at("cases").size(), 40U);
  for (const auto& expected : golden.at("cases")) {
    const auto name = expected.at("name").get<std::string>();
    const auto size = expected.at("test_size").get<double>();
    const auto seed = expected.at("seed").get<std::uint32_t>();
    const auto parts = stratified_train_test_split(golden.at("inputs").at(name).get<indices>(), size, seed);
    ASSERT_TRUE(parts) << parts.error().text();
    EXPECT_EQ(parts->train, expected.at("train").get<indices>()) << name << ", " << size << ", seed " << seed;
    EXPECT_EQ(parts->test, expected.at("test").get<indices>()) << name << ", " << size << ", seed " << seed;
  }
}

TEST(stratified_split, parts_heart_disease_as_the_known_figures_have_it) {
  const auto known =
      nlohmann::json::parse(*read_file("tests/data/golden_sklearn.json")).at("heart_binary_split42_seed42");
  const auto data = read_csv(*read_file("data/heart_disease_cleveland.csv"), {});
  ASSERT_TRUE(data);
  const auto target = *data->data.target("target");
  const auto parts = stratified_train_test_split(indices(target.begin(), target.end()), 0.2, 42);
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->train.size(), known.at("n_train"));
  EXPECT_EQ(parts->test.size(), known.at("n_test"));
  // The classes of the held-out rows, in their order, are those of the golden classification.
  const auto held_out =
      nlohmann::json::parse(*read_file("tests/data/golden_classification.json")).at("classifications").at(0);
  indices actual;
  for (const auto row : parts->test)
    actual.push_back(static_cast<std::uint32_t>(target(row)));
  EXPECT_EQ(actual, held_out.at("actual").get<indices>());
}

TEST(stratified_split, parts_hold_every_row_once_and_every_class_in_its_share) {
  for (std::uint32_t rows : {20U, 99U, 1000U, 4099U}) {
    for (std::uint32_t seed : {0U, 1U, 4294967295U}) {
      indices classes(rows);
      for (std::uint32_t row = 0; row < rows; ++row)
        classes[row] = row % 10 < 7 ? 0 : row % 10 - 6; // shares of 7/10, 1/10, 1/10, 1/10
      const auto parts = stratified_train_test_split(classes, 0.3, seed);
      ASSERT_TRUE(parts) << parts.error().text();
      auto all = parts->train;
      all.insert(all.end(), parts->test.begin(), parts->test.end());
      std::sort(all.begin(), all.end());
      indices expected(rows);
      std::iota(expected.begin(), expected.end(), 0U);
      ASSERT_EQ(all, expected) << rows << " rows, seed " << seed;
      std::map<std::uint32_t, double> excess; // of the training part over its share of each class
      for (const auto row : parts->train)
        ++excess[classes[row]];
      const auto share = static_cast<double>(parts->train.size()) / rows;
      for (const auto of_row : classes)
        excess[of_row] -= share;
      for (const auto& [one, rows_over] : excess)
        EXPECT_LT(std::abs(rows_over), 1) << "class " << one << " of " << rows << " rows, seed " << seed;
    }
  }
}

TEST(stratified_split, says_what_to_do_when_it_cannot_be_made) {
  const auto cause = [](const indices& classes, double test_size) {
    const auto parts = stratified_train_test_split(classes, test_size, 0);
    if (parts)
      return std::string("made");
    EXPECT_EQ(parts.error().code(), errc::invalid);
    return parts.error().text();
  };
  EXPECT_THAT(cause({}, 0.5), HasSubstr("0 rows"));
  EXPECT_THAT(cause({0, 0, 0, 4000000000U}, 0.5), HasSubstr("class number 4000000000 has only one row"));
  EXPECT_THAT(cause({3}, 0.5), HasSubstr("class number 3 has only one row"));
  EXPECT_THAT(cause({0, 0, 1, 1, 2, 2}, 0.6),
              HasSubstr("the train part would have 2 of 6 rows, fewer than the 3 classes: choose a smaller test_size"));
  EXPECT_THAT(cause({0, 0, 1, 1, 2, 2}, 0.3),
              HasSubstr("the test part would have 2 of 6 rows, fewer than the 3 classes: choose a larger test_size"));
  EXPECT_THAT(cause({0, 0, 0}, 0.9), HasSubstr("the train part would have 0 of 3 rows, fewer than the 1 classes"));
  for (const double size :
       {0.0, 1.0, -0.2, 2.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
    EXPECT_THAT(cause({0, 0, 1, 1}, size), HasSubstr("give a share between 0 and 1")) << size;
  EXPECT_EQ(cause({0, 0, 1, 1, 2, 2}, 0.5), "made");
}

} // namespace
} // namespace penstock::ml
