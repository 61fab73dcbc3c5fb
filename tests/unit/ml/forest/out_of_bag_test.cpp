// SPDX-License-Identifier: Apache-2.0
#include "base/file.hpp"
#include "ml/forest/forest_random.hpp"
#include "ml/forest/out_of_bag.hpp"
#include "ml/forest/random_forest.hpp"
#include "ml/split.hpp"
#include "tests/support/california_housing.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>

namespace penstock::ml {
namespace {

trained_model train(const training_data& data, const std::string& type, std::map<std::string, std::string> parameters,
                    unsigned threads = 2) {
  training_control control;
  control.threads = threads;
  auto trained = (*make_learner({type, parameters}))->train(data, control);
  EXPECT_TRUE(trained) << trained.error().text();
  return *std::move(trained);
}

TEST(out_of_bag, importances_are_those_of_scikit_learn) {
  const auto expected = nlohmann::json::parse(*read_file("tests/data/golden_sklearn.json"))
                            .at("cal_100x10")
                            .at("importances")
                            .get<std::vector<double>>();
  const auto rows = testing::california_rows(train_test_split(20640, 0.2, 42).train);
  const auto trained =
      train({rows.features, rows.target}, "random_forest_regressor", {{"max_depth", "10"}, {"random_state", "42"}});
  ASSERT_EQ(trained.importances.size(), expected.size());
  double sum = 0;
  for (std::size_t feature = 0; feature < expected.size(); ++feature) {
    EXPECT_NEAR(trained.importances[feature], expected[feature], 0.01);
    sum += trained.importances[feature];
  }
  EXPECT_NEAR(sum, 1, 1e-9);
}

TEST(out_of_bag, a_forest_that_never_splits_finds_nothing_important) {
  const column_matrix features = column_matrix::Random(30, 2);
  const vector target = vector::Constant(30, 4);
  EXPECT_EQ(train({features, target}, "random_forest_regressor", {{"n_estimators", "3"}}).importances,
            (std::vector<double>{0, 0}));
}

TEST(out_of_bag, the_score_of_rows_unseen_is_about_that_of_a_hold_out) {
  const auto rows = testing::california_rows(train_test_split(20640, 0.2, 42).train);
  for (unsigned threads : {1U, 3U}) {
    const auto trained = train({rows.features, rows.target}, "random_forest_regressor",
                               {{"max_depth", "10"}, {"oob_score", "true"}, {"random_state", "42"}}, threads);
    EXPECT_EQ(trained.metrics.at("oob_rows"), 16512);
    EXPECT_NEAR(trained.metrics.at("oob_r2"), 0.777, 0.01); // 0.774 on the hold-out
  }
}

/// Two rows and one tree: which row it has not seen is known from its sample.
TEST(out_of_bag, counts_only_trees_that_have_not_seen_the_row) {
  column_matrix features(40, 1);
  vector target(40);
  for (Eigen::Index row = 0; row < 40; ++row) {
    features(row, 0) = static_cast<float>(row);
    target(row) = row % 2 == 0 ? 0 : 1;
  }
  const training_data data{features, target, {"even", "odd"}};
  const auto trained =
      train(data, "random_forest_classifier",
            {{"n_estimators", "1"}, {"max_features", "all"}, {"random_state", "7"}, {"oob_score", "true"}});
  std::vector<std::uint32_t> drawn(40);
  bootstrap::draws(40, {}).sample(tree_key(7, 0), drawn);
  double unseen = 0;
  double right = 0;
  for (Eigen::Index row = 0; row < 40; ++row) {
    if (drawn[static_cast<std::size_t>(row)] == 0) {
      std::vector<double> found(2);
      const float x = features(row, 0);
      trained.model->predict({&x, 1}, found);
      ++unseen;
      right += (found[1] > found[0] ? 1 : 0) == target(row) ? 1 : 0;
    }
  }
  EXPECT_EQ(trained.metrics.at("oob_rows"), unseen);
  EXPECT_EQ(trained.metrics.at("oob_accuracy"), right / unseen);
  EXPECT_LT(right / unseen, 0.5); // a neighbour is always of the other class: seen rows would be right
}

TEST(out_of_bag, without_a_row_that_is_left_out_there_is_no_score) {
  const column_matrix features = column_matrix::Zero(1, 1);
  const vector target = vector::Zero(1);
  const auto trained = train({features, target}, "random_forest_regressor", {{"oob_score", "true"}});
  EXPECT_EQ(trained.metrics.at("oob_rows"), 0);
  EXPECT_TRUE(std::isnan(trained.metrics.at("oob_r2")));
}

} // namespace
} // namespace penstock::ml
