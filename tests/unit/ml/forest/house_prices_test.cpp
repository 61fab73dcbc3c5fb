// SPDX-License-Identifier: Apache-2.0
// The forest on the real data, against what scikit-learn gives for the same rows (tests/data/golden_sklearn.json).
#include "base/file.hpp"
#include "ml/learner.hpp"
#include "ml/metrics.hpp"
#include "ml/split.hpp"
#include "tests/support/california_housing.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstring>

namespace penstock::ml {
namespace {

using testing::california_rows;
using testing::regression_rows;

struct parts {
  regression_rows train;
  regression_rows test;
};

const parts& streaming_split() {
  static const auto made = [] {
    const auto split = train_test_split(20640, 0.2, 42);
    return parts{california_rows(split.train), california_rows(split.test)};
  }();
  return made;
}

/// 20 % of the training part, held out with seed 42.
const parts& holdout_split() {
  static const auto made = [] {
    const auto outer = train_test_split(20640, 0.2, 42);
    const auto inner = train_test_split(static_cast<std::uint32_t>(outer.train.size()), 0.2, 42);
    const auto pick = [&](const std::vector<std::uint32_t>& from) {
      std::vector<std::uint32_t> rows;
      for (auto i : from) {
        rows.push_back(outer.train[i]);
      }
      return california_rows(rows);
    };
    return parts{pick(inner.train), pick(inner.test)};
  }();
  return made;
}

trained_model train(const regression_rows& rows, std::map<std::string, std::string> parameters, unsigned threads = 2) {
  parameters.insert({{"n_estimators", "100"}, {"max_depth", "10"}});
  training_control control;
  control.threads = threads;
  auto trained = (*make_learner({"random_forest_regressor", parameters}))->train({rows.features, rows.target}, control);
  EXPECT_TRUE(trained);
  return *std::move(trained);
}

std::vector<double> predict(const model& model, const row_matrix& rows, std::size_t batch) {
  std::vector<double> out(static_cast<std::size_t>(rows.rows()));
  for (std::size_t first = 0; first < out.size(); first += batch) {
    const auto size = std::min(batch, out.size() - first);
    model.predict({rows.data() + first * model.features(), size * model.features()},
                  std::span(out).subspan(first, size));
  }
  return out;
}

regression_metrics score(const model& model, const regression_rows& rows) {
  const auto predicted = predict(model, rows.rows, 1000);
  return regression({rows.target.data(), predicted.size()}, predicted);
}

nlohmann::json golden(const char* key) {
  return nlohmann::json::parse(*read_file("tests/data/golden_sklearn.json")).at(key);
}

TEST(house_prices, the_mean_over_ten_seeds_is_that_of_scikit_learn) {
  const auto expected = golden("cal_100x10_fixed_split42_model_seed_0_9").at("mean");
  regression_metrics mean;
  for (int seed = 0; seed < 10; ++seed) {
    const auto found =
        score(*train(streaming_split().train, {{"random_state", std::to_string(seed)}}).model, streaming_split().test);
    mean.rmse += found.rmse / 10;
    mean.mae += found.mae / 10;
    mean.r2 += found.r2 / 10;
  }
  EXPECT_NEAR(mean.rmse, expected[0].get<double>(), 0.01 * expected[0].get<double>());
  EXPECT_NEAR(mean.mae, expected[1].get<double>(), 0.01 * expected[1].get<double>());
  EXPECT_NEAR(mean.r2, expected[2].get<double>(), 0.01 * expected[2].get<double>());
}

TEST(house_prices, the_holdout_is_met_as_well_as_it_should_be) {
  const auto found = score(*train(holdout_split().train, {{"random_state", "42"}}).model, holdout_split().test);
  EXPECT_GT(found.rmse, 0.52);
  EXPECT_LT(found.rmse, 0.57);
  EXPECT_GT(found.r2, 0.75);
  EXPECT_LT(found.r2, 0.80);
}

TEST(house_prices, limits_on_samples_cost_as_little_as_in_scikit_learn) {
  const auto expected = golden("cal_100x10_mss5_msl2").at("rmse").get<double>();
  const auto trained =
      train(streaming_split().train, {{"random_state", "42"}, {"min_samples_split", "5"}, {"min_samples_leaf", "2"}});
  EXPECT_NEAR(score(*trained.model, streaming_split().test).rmse, expected, 0.01 * expected);
}

TEST(house_prices, unlimited_trees_are_as_good_as_in_scikit_learn) {
  const auto expected = golden("cal_100_unlimited").at("rmse").get<double>();
  const auto trained = train(streaming_split().train, {{"random_state", "42"}, {"max_depth", "none"}});
  EXPECT_NEAR(score(*trained.model, streaming_split().test).rmse, expected, 0.01 * expected);
}

TEST(house_prices, the_model_does_not_depend_on_the_number_of_threads) {
  const auto once = train(streaming_split().train, {{"random_state", "42"}}, 1).encoded;
  for (unsigned threads : {1U, 2U, 3U}) {
    EXPECT_EQ(train(streaming_split().train, {{"random_state", "42"}}, threads).encoded, once);
  }
  EXPECT_NE(train(streaming_split().train, {{"random_state", "43"}}).encoded, once);
}

TEST(house_prices, predictions_do_not_depend_on_the_size_of_the_batch) {
  const auto trained = train(streaming_split().train, {{"random_state", "42"}});
  const auto& rows = streaming_split().test.rows;
  const auto expected = predict(*trained.model, rows, 1);
  for (std::size_t batch : {std::size_t{7}, std::size_t{64}, std::size_t{1000}}) {
    const auto found = predict(*trained.model, rows, batch);
    EXPECT_EQ(std::memcmp(found.data(), expected.data(), expected.size() * sizeof(double)), 0) << batch;
  }
}

TEST(house_prices, a_decoded_model_predicts_the_same_bits) {
  const auto trained = train(streaming_split().train, {{"random_state", "42"}});
  const auto again = decode_model(trained.encoded);
  ASSERT_TRUE(again);
  EXPECT_EQ(predict(**again, streaming_split().test.rows, 1000),
            predict(*trained.model, streaming_split().test.rows, 1000));
}

} // namespace
} // namespace penstock::ml
