// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/random_forest.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <numeric>
#include <random>

namespace penstock::ml {
namespace {

/// Points of `classes` classes, each around its own place on the diagonal.
struct labelled_points {
  column_matrix features;
  vector target;
  std::vector<std::string> classes;

  labelled_points(Eigen::Index rows, std::size_t count, float spread) : features(rows, 2), target(rows) {
    std::mt19937 random(5);
    for (std::size_t number = 0; number < count; ++number) {
      classes.push_back(std::string(1, static_cast<char>('a' + number)));
    }
    for (Eigen::Index row = 0; row < rows; ++row) {
      const auto number = static_cast<std::size_t>(row) % count;
      target(row) = static_cast<double>(number);
      for (Eigen::Index feature = 0; feature < 2; ++feature) {
        const auto noise = static_cast<float>(random() % 1000) / 1000 - 0.5F;
        features(row, feature) = static_cast<float>(number) + spread * noise;
      }
    }
  }

  result<trained_model> train(std::map<std::string, std::string> parameters, const vector* weights = nullptr) const {
    parameters.insert({"n_estimators", "20"});
    const auto learner = make_learner({"random_forest_classifier", parameters});
    EXPECT_TRUE(learner) << learner.error().text();
    return (*learner)->train({features, target, classes, weights}, {});
  }
};

std::vector<double> probabilities(const model& model, std::vector<float> row) {
  std::vector<double> out(model.outputs());
  model.predict(row, out);
  return out;
}

TEST(classifier, tells_classes_apart_and_gives_probabilities_that_sum_to_one) {
  for (std::size_t classes : {2U, 3U, 7U}) {
    const labelled_points points(700, classes, 0.8F);
    const auto trained = points.train({});
    ASSERT_TRUE(trained) << trained.error().text();
    EXPECT_EQ(trained->model->type(), "random_forest_classifier");
    ASSERT_EQ(trained->model->outputs(), classes);
    for (std::size_t number = 0; number < classes; ++number) {
      const auto at = static_cast<float>(number);
      const auto found = probabilities(*trained->model, {at, at});
      EXPECT_EQ(most_probable(found), number);
      EXPECT_NEAR(std::accumulate(found.begin(), found.end(), 0.0), 1, 1e-6);
      EXPECT_GT(found[number], 0.9);
    }
  }
}

TEST(classifier, a_decoded_model_gives_the_same_probabilities) {
  for (std::size_t classes : {2U, 5U}) {
    const labelled_points points(300, classes, 3.0F);
    const auto trained = points.train({{"max_depth", "4"}});
    ASSERT_TRUE(trained);
    const auto again = decode_model(trained->encoded);
    ASSERT_TRUE(again) << again.error().text();
    for (float x : {-1.0F, 0.4F, 2.6F, std::numeric_limits<float>::quiet_NaN()}) {
      EXPECT_EQ(probabilities(**again, {x, 1.0F}), probabilities(*trained->model, {x, 1.0F}));
    }
  }
}

TEST(classifier, of_equal_probabilities_the_first_is_meant) {
  EXPECT_EQ(most_probable(std::vector<double>{0.2, 0.4, 0.4}), 1U);
  EXPECT_EQ(most_probable(std::vector<double>{0.5, 0.5}), 0U);
}

TEST(classifier, weights_of_classes_move_the_border_between_them) {
  labelled_points points(400, 2, 4.0F);
  const auto share_of_second = [&](const std::string& weight) {
    const auto trained = points.train({{"class_weight", weight}, {"max_depth", "3"}});
    EXPECT_TRUE(trained) << trained.error().text();
    return probabilities(*trained->model, {0.5F, 0.5F})[1];
  };
  const auto even = share_of_second("a: 1, b: 1");
  EXPECT_GT(share_of_second("a: 1, b: 5"), even + 0.1);
  EXPECT_LT(share_of_second("a: 5, b: 1"), even - 0.1);
  // Balanced weights give a rare class the say of a frequent one.
  for (Eigen::Index row = 0; row < points.target.size(); ++row) {
    points.target(row) = row % 10 == 0 ? 1 : 0;
  }
  EXPECT_GT(share_of_second("balanced"), share_of_second("none") + 0.2);
}

TEST(classifier, rows_of_no_weight_do_not_exist) {
  labelled_points points(300, 2, 0.5F);
  vector weights = vector::Constant(300, 2.5);
  for (Eigen::Index row = 0; row < 300; row += 3) {
    weights(row) = 0;
    points.target(row) = 1 - points.target(row);
  }
  const auto trained = points.train({}, &weights);
  ASSERT_TRUE(trained) << trained.error().text();
  EXPECT_EQ(probabilities(*trained->model, {0, 0})[0], 1);
  EXPECT_EQ(probabilities(*trained->model, {1, 1})[1], 1);
}

TEST(classifier, refuses_what_it_cannot_learn_from) {
  const labelled_points good(40, 2, 1.0F);
  const auto expect_refused = [](const labelled_points& points, const char* text, errc code = errc::invalid,
                                 const vector* weights = nullptr) {
    const auto trained = points.train({}, weights);
    ASSERT_FALSE(trained) << text;
    EXPECT_EQ(trained.error().code(), code);
    EXPECT_NE(trained.error().text().find(text), std::string::npos) << trained.error().text();
  };
  auto points = good;
  points.target.setZero();
  expect_refused(points, "one class");
  points = good;
  points.classes.resize(1);
  expect_refused(points, "1 classes");
  for (double bad : {2.0, -1.0, 0.5, std::numeric_limits<double>::quiet_NaN()}) {
    points = good;
    points.target(7) = bad;
    expect_refused(points, "row 7");
  }
  for (double bad : {-1.0, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    vector weights = vector::Ones(40);
    weights(3) = bad;
    expect_refused(good, "weight of row 3", errc::invalid, &weights);
  }
  const vector none = vector::Zero(40);
  expect_refused(good, "no row has a weight", errc::invalid, &none);
  const vector few = vector::Ones(39);
  expect_refused(good, "39 weights", errc::invalid, &few);
}

TEST(classifier, refuses_weights_of_classes_that_mean_nothing) {
  for (const char* text : {"heavy", "a", "a: ", "a: -1", "a: x", "a: 1,", "a: nan", "a: inf"}) {
    const auto made = make_learner({"random_forest_classifier", {{"class_weight", text}}});
    ASSERT_FALSE(made) << text;
    EXPECT_EQ(made.error().code(), errc::configuration);
  }
  EXPECT_FALSE(make_learner({"random_forest_regressor", {{"class_weight", "balanced"}}}));
  EXPECT_FALSE(make_learner({"random_forest_classifier", {{"class_weight", "balanced"}, {"bootstrap", "false"}}}));
  EXPECT_FALSE(make_learner({"random_forest_classifier", {{"oob_score", "true"}, {"bootstrap", "false"}}}));
  const auto unknown = labelled_points(40, 2, 1.0F).train({{"class_weight", "c: 2"}});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code(), errc::configuration);
  EXPECT_NE(unknown.error().text().find("a, b"), std::string::npos);
  const vector weights = vector::Ones(40);
  EXPECT_FALSE(labelled_points(40, 2, 1.0F).train({{"bootstrap", "false"}}, &weights));
}

} // namespace
} // namespace penstock::ml
