// SPDX-License-Identifier: Apache-2.0
// Every instruction set grows the trees of the scalar reference, bit for bit.
#include "ml/forest/bootstrap.hpp"
#include "ml/forest/forest_random.hpp"
#include "ml/forest/random_forest.hpp"
#include "tests/support/reference_forest.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace penstock::ml {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

std::vector<instruction_set> instruction_sets() {
  std::vector<instruction_set> sets;
  for (auto set :
       {instruction_set::portable, instruction_set::avx2, instruction_set::avx512, instruction_set::avx512_vbmi}) {
    if (set <= supported_instructions()) {
      sets.push_back(set);
    }
  }
  return sets;
}

/// What a case is made of; the rest is drawn from its seed.
struct shape {
  std::uint32_t seed;
  Eigen::Index rows;
  Eigen::Index features;
  std::size_t classes = 0;
  bool missing = false;
  bool weighted = false;
};

struct random_case {
  column_matrix features;
  vector target;
  vector weights;
  std::vector<std::string> classes;
  testing::reference_parameters reference;
  std::map<std::string, std::string> parameters;

  explicit random_case(const shape& of) : features(of.rows, of.features), target(of.rows) {
    std::mt19937 random(of.seed);
    fill_features(of, random);
    for (Eigen::Index row = 0; row < of.rows; ++row) {
      const auto x = features(row, 0);
      const auto noise = static_cast<double>(random() % 1000);
      target(row) = (std::isnan(x) ? 300.0 : 700.0 * x) + noise;
      if (of.classes != 0) {
        const auto number = static_cast<std::size_t>(std::abs(target(row)) / 300.0);
        target(row) = static_cast<double>(number % of.classes);
      }
    }
    for (std::size_t number = 0; number < of.classes; ++number) {
      classes.push_back("class " + std::to_string(number));
      target(static_cast<Eigen::Index>(number)) = static_cast<double>(number);
    }
    if (of.weighted) {
      weights.resize(of.rows);
      for (double& weight : weights) {
        weight = random() % 3 == 0 ? 0 : static_cast<double>(random() % 100);
      }
      weights(of.rows / 2) = 1e5; // drawn again and again
      reference.weights.assign(weights.begin(), weights.end());
    }
    draw_parameters(of, random);
  }

  result<trained_model> train(const training_control& control) const {
    training_data data{features, target, classes, weights.size() == 0 ? nullptr : &weights};
    const auto learner =
        make_learner({classes.empty() ? "random_forest_regressor" : "random_forest_classifier", parameters});
    EXPECT_TRUE(learner) << learner.error().text();
    return (*learner)->train(data, control);
  }

private:
  /// Constant, few, many and all different values; duplicates; ±0; denormals.
  void fill_features(const shape& of, std::mt19937& random) {
    for (Eigen::Index feature = 0; feature < of.features; ++feature) {
      const auto levels = 1U << (random() % 13);
      const auto missing = of.missing && random() % 2 == 0 ? random() % 60 : 0;
      const auto scale = random() % 5 == 0 ? 1e-40F : 1.0F / 7.0F;
      for (Eigen::Index row = 0; row < of.rows; ++row) {
        const auto x = static_cast<float>(static_cast<int>(random() % levels) - static_cast<int>(levels / 2)) * scale;
        features(row, feature) = random() % 100 < missing ? nan : (x == 0 && random() % 2 == 0 ? -0.0F : x);
      }
    }
  }

  void draw_parameters(const shape& of, std::mt19937& random) {
    const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
    reference.classes = of.classes;
    reference.trees = 2;
    reference.max_depth = 1 + below(12);
    reference.min_samples_split = below(2) == 0 ? 2 : 2 + below(30);
    reference.min_samples_leaf = below(2) == 0 ? 1 : 1 + below(20);
    reference.seed = static_cast<std::uint32_t>(random());
    reference.bootstrap = of.weighted || below(4) != 0;
    if (below(3) == 0) {
      reference.max_features = 1 + below(static_cast<std::uint32_t>(of.features));
    }
    parameters = {{"n_estimators", "2"},
                  {"max_depth", std::to_string(reference.max_depth)},
                  {"min_samples_split", std::to_string(reference.min_samples_split)},
                  {"min_samples_leaf", std::to_string(reference.min_samples_leaf)},
                  {"max_features", std::to_string(std::min<std::size_t>(reference.max_features, 30000))},
                  {"random_state", std::to_string(reference.seed)},
                  {"bootstrap", reference.bootstrap ? "true" : "false"}};
  }
};

void expect_reference(const shape& of) {
  const random_case made(of);
  const auto forest = testing::grow_reference_forest(made.features, made.target, made.reference);
  const auto expected = random_forest_model::encode(forest, of.classes);
  std::vector<double> importances;
  for (auto set : instruction_sets()) {
    training_control control;
    control.instructions = set;
    control.threads = 1 + of.seed % 2;
    const auto trained = made.train(control);
    ASSERT_TRUE(trained) << trained.error().text();
    ASSERT_TRUE(trained->encoded == expected) << name_of(set) << " seed " << of.seed;
    ASSERT_EQ(importances.empty() ? trained->importances : importances, trained->importances) << name_of(set);
    importances = trained->importances;
  }
}

TEST(forest_growth, small_nodes_are_split_as_by_the_reference) {
  for (std::uint32_t seed = 0; seed < 100; ++seed) {
    expect_reference({seed, 2 + seed * 7 % 240, 1 + seed % 11});
  }
}

TEST(forest_growth, large_nodes_are_split_as_by_the_reference) {
  for (std::uint32_t seed = 0; seed < 14; ++seed) {
    expect_reference({seed, 300 + 50 * seed, 1 + seed % 10});
  }
}

TEST(forest_growth, missing_values_are_tried_on_both_sides) {
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    expect_reference({seed, 20 + seed * 7 % 400, 1 + seed % 9, 0, true});
  }
}

TEST(forest_growth, any_number_of_features_will_do) {
  for (std::uint32_t features : {7U, 8U, 9U, 16U, 17U, 64U, 65U, 130U}) {
    expect_reference({features, 290, features, 0, features % 2 == 0});
  }
}

TEST(forest_growth, two_classes_are_split_as_by_the_reference) {
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    expect_reference({seed, 10 + seed * 11 % 400, 1 + seed % 10, 2, seed % 3 == 0});
  }
}

TEST(forest_growth, many_classes_are_split_as_by_the_reference) {
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    expect_reference({seed, 10 + seed * 11 % 300, 1 + seed % 10, 3 + seed % 5, seed % 3 == 0});
  }
}

TEST(forest_growth, heavy_rows_are_drawn_more_than_a_byte_can_count) {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    expect_reference({seed, 280 + 13 * seed, 1 + seed % 4, seed % 4 == 3 ? 3 : seed % 2 * 2, seed % 3 == 0, true});
  }
}

TEST(forest_growth, sums_of_very_large_nodes_are_exact) {
  constexpr Eigen::Index rows = 100'000; // more samples than 16 bits count, and a sum beyond 32 bits
  column_matrix features(rows, 1);
  vector target(rows);
  for (Eigen::Index row = 0; row < rows; ++row) {
    features(row, 0) = static_cast<float>(row % 12);
    target(row) = row % 50 == 0 ? 0 : 1000 - 5.0 * features(row, 0) - static_cast<double>((row * 7919) % 10);
  }
  testing::reference_parameters parameters;
  parameters.max_depth = 2;
  const auto expected = random_forest_model::encode(testing::grow_reference_forest(features, target, parameters), 0);
  for (auto set : instruction_sets()) {
    training_control control;
    control.instructions = set;
    const auto learner = make_learner({"random_forest_regressor", {{"n_estimators", "1"}, {"max_depth", "2"}}});
    EXPECT_TRUE((*learner)->train({features, target}, control)->encoded == expected) << name_of(set);
  }
}

TEST(forest_growth, a_split_that_is_too_small_does_not_stand_for_an_equal_one) {
  // Of 273 rows 1, 16 and 256 have one value; both cuts gain 252²/272 = 1008²/(17·256), the first leaves one sample.
  constexpr Eigen::Index rows = 273;
  column_matrix features(rows, 1);
  vector target(rows);
  for (Eigen::Index row = 0; row < rows; ++row) {
    features(row, 0) = row < 1 ? 0.0F : row < 17 ? 1.0F : 2.0F;
    target(row) = row < 5 || (row >= 17 && row < 33) ? 1 : 0;
  }
  for (auto set : instruction_sets()) {
    training_control control;
    control.instructions = set;
    const auto learner =
        make_learner({"random_forest_regressor",
                      {{"n_estimators", "1"}, {"max_depth", "1"}, {"min_samples_leaf", "2"}, {"bootstrap", "false"}}});
    const auto trained = (*learner)->train({features, target}, control);
    const float first = 0;
    double answer = 0;
    trained->model->predict({&first, 1}, {&answer, 1});
    EXPECT_NEAR(answer, 5.0 / 17, 1e-6) << name_of(set);
  }
}

TEST(forest_growth, missing_values_that_fit_both_sides_go_left) {
  for (Eigen::Index third : {20, 100}) { // of a small and of a large node
    column_matrix features(3 * third, 1);
    vector target(3 * third);
    for (Eigen::Index row = 0; row < third; ++row) {
      features(row, 0) = 0;
      target(row) = 0;
      features(third + row, 0) = 1;
      target(third + row) = 1;
      features(2 * third + row, 0) = nan;
      target(2 * third + row) = static_cast<double>(row % 2);
    }
    for (auto set : instruction_sets()) {
      training_control control;
      control.instructions = set;
      const auto learner = make_learner(
          {"random_forest_regressor", {{"n_estimators", "1"}, {"max_depth", "1"}, {"bootstrap", "false"}}});
      double answer = 0;
      (*learner)->train({features, target}, control)->model->predict({&nan, 1}, {&answer, 1});
      EXPECT_NEAR(answer, 0.25, 1e-6) << name_of(set) << " " << third;
    }
  }
}

TEST(forest_growth, every_row_is_drawn_by_its_weight) {
  const std::vector<double> weights{0, 1, 2, 3, 0, 4, 1e-30, 10};
  const auto sample = bootstrap::draws(weights.size(), weights);
  std::vector<double> drawn(weights.size());
  std::vector<std::uint32_t> counts(weights.size());
  constexpr int samples = 20000;
  for (std::uint64_t tree = 0; tree < samples; ++tree) {
    sample.sample(mix(tree), counts);
    for (std::size_t row = 0; row < weights.size(); ++row) {
      drawn[row] += counts[row];
    }
  }
  const double draws = samples * static_cast<double>(weights.size());
  for (std::size_t row = 0; row < weights.size(); ++row) {
    EXPECT_NEAR(drawn[row] / draws, weights[row] / 20, 0.003) << row;
  }
  EXPECT_EQ(drawn[0] + drawn[4], 0);
}

} // namespace
} // namespace penstock::ml
