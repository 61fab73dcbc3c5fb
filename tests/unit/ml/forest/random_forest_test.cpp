// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/random_forest.hpp"
#include "ml/model_codec.hpp"
#include "ml/sealed_block.hpp"
#include "tests/support/reference_forest.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <mutex>
#include <random>
#include <set>
#include <thread>

namespace penstock::ml {
namespace {

using parameters = std::map<std::string, std::string>;

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

result<trained_model> train(const parameters& given, const column_matrix& features, const vector& target,
                            const training_control& control = {}) {
  auto learner = make_learner({"random_forest_regressor", given});
  EXPECT_TRUE(learner) << learner.error().text();
  return (*learner)->train({features, target}, control);
}

/// The trees of a model, out of its durable form.
forest trees_of(const trained_model& trained) {
  const auto block = unseal(trained.encoded, model_magic, model_version, "model");
  byte_reader body(block->body);
  const auto type = body.string();
  std::size_t width = 1;
  if (type == random_forest_model::classifier_name) {
    width = random_forest_model::leaf_width(body.number<std::uint32_t>());
  }
  return *decode_forest(body.rest(), width);
}

double predict_one(const trained_model& trained, std::vector<float> row) {
  double out = 0;
  trained.model->predict(row, {&out, 1});
  return out;
}

/// Small data with everything that is awkward: ties, constants, missing values, duplicates, outliers.
struct random_data {
  column_matrix features;
  vector target;

  explicit random_data(std::uint32_t seed) {
    std::mt19937 random(seed);
    const auto rows = static_cast<Eigen::Index>(1 + random() % 300);
    const auto columns = static_cast<Eigen::Index>(1 + random() % 6);
    features.resize(rows, columns);
    target.resize(rows);
    for (Eigen::Index column = 0; column < columns; ++column) {
      const auto levels = 1U << (random() % 11);
      const auto missing = random() % 3 == 0 ? random() % 100 : 0;
      for (Eigen::Index row = 0; row < rows; ++row) {
        const auto x = static_cast<float>(random() % levels) / 7.0F - 1.0F;
        features(row, column) = random() % 100 < missing ? nan : x;
      }
    }
    const double spread = std::pow(10.0, static_cast<double>(random() % 9) - 4.0);
    const auto values = 1U << (random() % 20);
    for (Eigen::Index row = 0; row < rows; ++row) {
      const auto x = features(row, 0);
      target(row) = spread * (static_cast<double>(random() % values) + (std::isnan(x) ? 3.0 : 5.0 * x));
    }
  }
};

TEST(random_forest, grows_the_trees_of_the_scalar_reference) {
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    const random_data data(seed);
    std::mt19937 generator(seed + 1000);
    const auto random = [&] { return static_cast<std::uint32_t>(generator()); };
    testing::reference_parameters reference;
    reference.trees = 1 + random() % 3;
    reference.max_depth = 1 + random() % 12;
    reference.min_samples_split = random() % 2 == 0 ? 2 : 2 + random() % 20;
    reference.min_samples_leaf = random() % 2 == 0 ? 1 : 1 + random() % 10;
    reference.seed = random();
    reference.bootstrap = random() % 4 != 0;
    parameters given{{"n_estimators", std::to_string(reference.trees)},
                     {"max_depth", std::to_string(reference.max_depth)},
                     {"min_samples_split", std::to_string(reference.min_samples_split)},
                     {"min_samples_leaf", std::to_string(reference.min_samples_leaf)},
                     {"random_state", std::to_string(reference.seed)},
                     {"bootstrap", reference.bootstrap ? "true" : "false"}};
    if (random() % 2 == 0) {
      reference.max_features = 1 + random() % 3;
      given["max_features"] = std::to_string(reference.max_features);
    }
    const auto expected = testing::grow_reference_forest(data.features, data.target, reference);
    training_control control;
    control.threads = 1 + seed % 3;
    const auto trained = train(given, data.features, data.target, control);
    ASSERT_TRUE(trained) << trained.error().text();
    ASSERT_TRUE(trained->encoded == random_forest_model::encode(expected, 0)) << "seed " << seed;
  }
}

TEST(random_forest, a_constant_target_is_predicted_exactly) {
  column_matrix features = column_matrix::Random(50, 2);
  for (double constant : {0.0, 2.7, -1e300, 1e-310}) {
    const vector target = vector::Constant(50, constant);
    const auto trained = train({{"n_estimators", "7"}}, features, target);
    ASSERT_TRUE(trained);
    EXPECT_EQ(predict_one(*trained, {0.5F, 0.5F}), constant);
    EXPECT_EQ(trees_of(*trained).trees[0].size(), 1U);
  }
}

TEST(random_forest, one_row_is_enough) {
  const column_matrix features = column_matrix::Constant(1, 1, 4.0F);
  const vector target = vector::Constant(1, 3.5);
  const auto trained = train({}, features, target);
  ASSERT_TRUE(trained);
  EXPECT_EQ(predict_one(*trained, {9.0F}), 3.5);
}

TEST(random_forest, a_leaf_larger_than_the_data_leaves_the_root) {
  const column_matrix features = column_matrix::Random(20, 3);
  const vector target = vector::Random(20);
  const auto trained = train({{"min_samples_leaf", "1000"}, {"bootstrap", "false"}}, features, target);
  ASSERT_TRUE(trained);
  EXPECT_NEAR(predict_one(*trained, {0.0F, 0.0F, 0.0F}), target.mean(), 1e-6);
}

TEST(random_forest, an_unlimited_tree_without_bootstrap_remembers_its_rows) {
  column_matrix features(200, 1);
  vector target(200);
  for (Eigen::Index row = 0; row < 200; ++row) {
    features(row, 0) = static_cast<float>(row);
    target(row) = static_cast<double>((row * 7919) % 200) * 1e6;
  }
  const auto trained = train({{"n_estimators", "1"}, {"bootstrap", "false"}}, features, target);
  ASSERT_TRUE(trained);
  for (Eigen::Index row = 0; row < 200; ++row) {
    EXPECT_NEAR(predict_one(*trained, {features(row, 0)}), target(row), 10);
  }
}

TEST(random_forest, keeps_its_precision_for_targets_far_from_zero_and_of_any_size) {
  column_matrix features(100, 1);
  vector target(100);
  for (double scale : {1e-200, 1.0, 1e200}) {
    for (Eigen::Index row = 0; row < 100; ++row) {
      features(row, 0) = static_cast<float>(row);
      target(row) = scale * (1.7e9 + static_cast<double>(row));
    }
    const auto trained = train({{"n_estimators", "1"}, {"bootstrap", "false"}}, features, target);
    ASSERT_TRUE(trained);
    EXPECT_NEAR(predict_one(*trained, {42.0F}) / scale, 1.7e9 + 42, 1e-4);
  }
}

TEST(random_forest, missing_values_go_where_they_were_learnt_to_belong) {
  column_matrix features(200, 1);
  vector target(200);
  for (const bool missing_is_high : {true, false}) {
    for (Eigen::Index row = 0; row < 200; ++row) {
      const bool missing = row % 4 == 0;
      const bool high = missing ? missing_is_high : row % 2 == 0;
      features(row, 0) = missing ? nan : (high ? 10.0F : 1.0F);
      target(row) = high ? 5 : 0;
    }
    const auto trained = train({{"n_estimators", "5"}}, features, target);
    ASSERT_TRUE(trained);
    EXPECT_NEAR(predict_one(*trained, {nan}), missing_is_high ? 5 : 0, 1e-6);
    EXPECT_NEAR(predict_one(*trained, {10.0F}), 5, 1e-6);
    EXPECT_NEAR(predict_one(*trained, {1.0F}), 0, 1e-6);
  }
}

TEST(random_forest, being_missing_can_be_the_split_itself) {
  column_matrix features(100, 1);
  vector target(100);
  for (Eigen::Index row = 0; row < 100; ++row) {
    features(row, 0) = row % 2 == 0 ? nan : 3.0F;
    target(row) = static_cast<double>(row % 2);
  }
  const auto trained = train({{"n_estimators", "3"}}, features, target);
  ASSERT_TRUE(trained);
  EXPECT_NEAR(predict_one(*trained, {nan}), 0, 1e-6);
  EXPECT_NEAR(predict_one(*trained, {-100.0F}), 1, 1e-6);
  EXPECT_NEAR(predict_one(*trained, {std::numeric_limits<float>::infinity()}), 1, 1e-6);
}

TEST(random_forest, a_value_never_seen_missing_goes_to_the_larger_side) {
  column_matrix features(100, 1);
  vector target(100);
  for (Eigen::Index row = 0; row < 100; ++row) {
    features(row, 0) = row < 70 ? 1.0F : 2.0F;
    target(row) = row < 70 ? -1 : 1;
  }
  const auto trained = train({{"n_estimators", "1"}, {"bootstrap", "false"}}, features, target);
  ASSERT_TRUE(trained);
  EXPECT_NEAR(predict_one(*trained, {nan}), -1, 1e-6);
}

TEST(random_forest, refuses_data_it_cannot_learn_from) {
  const column_matrix features = column_matrix::Random(10, 2);
  const vector target = vector::Random(10);
  const auto expect_invalid = [](const column_matrix& x, const vector& y) {
    const auto trained = train({}, x, y);
    ASSERT_FALSE(trained);
    EXPECT_EQ(trained.error().code(), errc::invalid) << trained.error().text();
  };
  expect_invalid(column_matrix(0, 2), vector(0));
  expect_invalid(column_matrix(10, 0), target);
  expect_invalid(features, vector::Random(9));
  for (double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    vector with_bad = target;
    with_bad(3) = bad;
    expect_invalid(features, with_bad);
  }
  column_matrix infinite = features;
  infinite(4, 1) = std::numeric_limits<float>::infinity();
  expect_invalid(infinite, target);
  vector too_wide = target;
  too_wide(0) = -1e308;
  too_wide(1) = 1e308;
  expect_invalid(features, too_wide);
}

TEST(random_forest, tells_its_progress_up_to_the_end_one_call_at_a_time) {
  const random_data data(3);
  std::atomic<int> inside{0};
  std::vector<double> shares;
  training_control control;
  control.threads = 3;
  control.progress = [&](double share) {
    EXPECT_EQ(++inside, 1);
    shares.push_back(share);
    --inside;
  };
  ASSERT_TRUE(train({{"n_estimators", "40"}}, data.features, data.target, control));
  ASSERT_EQ(shares.size(), 40U);
  EXPECT_TRUE(std::is_sorted(shares.begin(), shares.end()));
  EXPECT_EQ(shares.back(), 1);
}

TEST(random_forest, stops_when_cancelled) {
  const random_data data(3);
  std::atomic<bool> cancelled{true};
  training_control control;
  control.cancelled = &cancelled;
  const auto before = train({}, data.features, data.target, control);
  ASSERT_FALSE(before);
  EXPECT_EQ(before.error().code(), errc::failed);
  cancelled = false;
  int calls = 0;
  control.progress = [&](double) {
    ++calls;
    cancelled = true;
  };
  EXPECT_FALSE(train({{"n_estimators", "1000"}}, data.features, data.target, control));
  EXPECT_EQ(calls, 1);
}

TEST(random_forest, calls_the_hook_in_threads_of_its_own) {
  const random_data data(3);
  for (const unsigned threads : {1U, 2U}) {
    std::mutex lock;
    std::set<std::thread::id> seen;
    training_control control;
    control.threads = threads;
    control.thread_started = [&] {
      const std::scoped_lock hold(lock);
      seen.insert(std::this_thread::get_id());
    };
    ASSERT_TRUE(train({}, data.features, data.target, control));
    EXPECT_GE(seen.size(), threads);
    EXPECT_FALSE(seen.contains(std::this_thread::get_id())) << threads;
  }
}

TEST(random_forest, keeps_to_its_budget_of_memory) {
  const column_matrix features = column_matrix::Random(5000, 9);
  const vector target = vector::Random(5000);
  training_control control;
  control.memory_budget = 100'000;
  const auto refused = train({}, features, target, control);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), errc::failed);
  EXPECT_NE(refused.error().text().find("raise the limit"), std::string::npos) << refused.error().text();
  // Too little for four threads, enough for fewer.
  control.memory_budget = 4'000'000;
  control.threads = 4;
  std::set<std::thread::id> seen;
  control.progress = [&](double) { seen.insert(std::this_thread::get_id()); };
  const auto trained = train({{"n_estimators", "40"}}, features, target, control);
  ASSERT_TRUE(trained) << trained.error().text();
  EXPECT_LT(seen.size(), 4U);
  control.memory_budget = 0;
  EXPECT_EQ(trained->encoded, train({{"n_estimators", "40"}}, features, target, control)->encoded);
}

TEST(random_forest, refuses_parameters_out_of_bounds) {
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{{"n_estimators", "0"},
                                                                                    {"n_estimators", "-1"},
                                                                                    {"n_estimators", "100.0"},
                                                                                    {"max_depth", "0"},
                                                                                    {"max_depth", "deep"},
                                                                                    {"min_samples_split", "1"},
                                                                                    {"min_samples_leaf", "0"},
                                                                                    {"max_features", "0"},
                                                                                    {"max_features", "1.5"},
                                                                                    {"max_features", "0.0"},
                                                                                    {"max_features", "half"},
                                                                                    {"max_features", ""},
                                                                                    {"random_state", "4294967296"},
                                                                                    {"bootstrap", "yes"}}) {
    const auto made = make_learner({"random_forest_regressor", {{name, value}}});
    ASSERT_FALSE(made) << name << " " << value;
    EXPECT_EQ(made.error().code(), errc::configuration);
    EXPECT_NE(made.error().text().find(name), std::string::npos);
  }
  EXPECT_TRUE(make_learner({"random_forest_regressor", {{"max_depth", "none"}, {"max_features", "1.0"}}}));
}

TEST(random_forest, suggests_the_name_that_was_meant) {
  const auto parameter = make_learner({"random_forest_regressor", {{"n_estimator", "10"}}});
  ASSERT_FALSE(parameter);
  EXPECT_NE(parameter.error().text().find("did you mean n_estimators?"), std::string::npos);
  const auto type = make_learner({"random_forest_regresor", {}});
  ASSERT_FALSE(type);
  EXPECT_EQ(type.error().code(), errc::configuration);
  EXPECT_NE(type.error().text().find("did you mean random_forest_regressor?"), std::string::npos);
}

TEST(random_forest, looks_at_as_many_features_as_it_is_told) {
  const auto looked_at = [](const char* text, std::size_t features) {
    return random_forest_parameters::make({{"max_features", text}}, false)->features_per_split(features);
  };
  EXPECT_EQ(looked_at("all", 8), 8U);
  EXPECT_EQ(looked_at("1.0", 8), 8U);
  EXPECT_EQ(looked_at("sqrt", 8), 2U);
  EXPECT_EQ(looked_at("third", 8), 2U);
  EXPECT_EQ(looked_at("third", 2), 1U);
  EXPECT_EQ(looked_at("0.5", 8), 4U);
  EXPECT_EQ(looked_at("3", 8), 3U);
  EXPECT_EQ(looked_at("1", 8), 1U);
  EXPECT_EQ(looked_at("30", 8), 8U);
}

} // namespace
} // namespace penstock::ml
