// SPDX-License-Identifier: Apache-2.0
#include "base/file.hpp"
#include "ml/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

namespace penstock::ml {
namespace {

using classes_of = std::vector<std::uint32_t>;
using numbers = std::vector<double>;
using ::testing::HasSubstr;

nlohmann::json golden() {
  return nlohmann::json::parse(*read_file("tests/data/golden_classification.json")).at("classifications");
}

result<classification_metrics> measure(const nlohmann::json& golden_case) {
  return classification(golden_case.at("actual").get<classes_of>(), golden_case.at("probabilities").get<numbers>(),
                        golden_case.at("classes").get<std::size_t>());
}

/// The probability of class 1 in each row.
classification_metrics binary(const classes_of& actual, const numbers& scores) {
  numbers probabilities;
  for (const double score : scores)
    probabilities.insert(probabilities.end(), {1 - score, score});
  return *classification(actual, probabilities, 2);
}

TEST(classification_metrics, agree_with_scikit_learn_on_real_data) {
  const auto cases = golden();
  ASSERT_GE(cases.size(), 11U);
  for (const auto& expected : cases) {
    SCOPED_TRACE(expected.at("name"));
    const auto found = measure(expected);
    ASSERT_TRUE(found);
    const auto named = by_name(*found);
    for (const auto& [name, figure] : expected.at("metrics").items()) {
      ASSERT_EQ(named.contains(name), !figure.is_null()) << name;
      if (!figure.is_null()) {
        EXPECT_NEAR(named.at(name), figure.get<double>(), 1e-12 * std::abs(figure.get<double>())) << name;
      }
    }
    for (const auto& [name, figure] : named)
      EXPECT_TRUE(expected.at("metrics").contains(name)) << name;
  }
}

TEST(classification_metrics, count_rows_in_the_confusion_matrix_as_scikit_learn_does) {
  for (const auto& expected : golden()) {
    SCOPED_TRACE(expected.at("name"));
    std::vector<std::uint64_t> cells;
    for (const auto& row : expected.at("confusion"))
      cells.insert(cells.end(), row.begin(), row.end());
    EXPECT_EQ(measure(expected)->confusion, cells);
  }
}

TEST(classification_metrics, give_the_known_figures_of_heart_disease) {
  const auto known =
      nlohmann::json::parse(*read_file("tests/data/golden_sklearn.json")).at("heart_binary_split42_seed42");
  const auto found = measure(golden().at(0));
  ASSERT_TRUE(found);
  EXPECT_DOUBLE_EQ(found->accuracy, known.at("accuracy"));
  EXPECT_DOUBLE_EQ(found->roc_auc, known.at("auc"));
  EXPECT_DOUBLE_EQ(found->binary.precision, known.at("precision"));
  EXPECT_DOUBLE_EQ(found->binary.recall, known.at("recall"));
  EXPECT_DOUBLE_EQ(found->binary.f1, known.at("f1"));
  EXPECT_EQ(found->confusion, (std::vector<std::uint64_t>{28, 5, 2, 26}));
}

TEST(classification_metrics, mark_as_nan_what_is_not_defined) {
  const auto only_one = binary({1, 1, 1}, {0.2, 0.5, 0.9});
  EXPECT_TRUE(std::isnan(only_one.roc_auc));
  EXPECT_TRUE(std::isnan(only_one.roc_auc_ovr));
  EXPECT_FALSE(std::isnan(only_one.log_loss));
  const auto three = classification(classes_of{0, 2}, numbers{1, 0, 0, 0, 0, 1}, 3);
  ASSERT_TRUE(three);
  EXPECT_TRUE(std::isnan(three->binary.f1));
  EXPECT_TRUE(std::isnan(three->roc_auc));
  EXPECT_TRUE(std::isnan(three->roc_auc_ovr));
  EXPECT_EQ(three->roc_auc_ovr_weighted, 1);
}

TEST(classification_metrics, predict_the_lowest_of_equally_probable_classes) {
  const auto found = classification(classes_of{0, 1, 2}, numbers{0.4, 0.4, 0.2, 0.2, 0.4, 0.4, 0.3, 0.3, 0.4}, 3);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->confusion, (std::vector<std::uint64_t>{1, 0, 0, 0, 1, 0, 0, 0, 1}));
}

// The definition: of all pairs of a row of class 1 and one of class 0, the share in which the first scores higher.
TEST(classification_metrics, area_under_roc_is_the_share_of_pairs_in_the_right_order) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    const auto rows = 2 + random() % 60;
    const auto levels = 1 + random() % 8;
    classes_of actual{0, 1};
    numbers scores{0.5, 0.5};
    while (actual.size() < rows) {
      actual.push_back(random() % 3 == 0);
      scores.push_back(static_cast<double>(random() % (levels + 1)) / static_cast<double>(levels));
    }
    std::uint64_t twice_won = 0;
    std::uint64_t pairs = 0;
    for (std::size_t i = 0; i < actual.size(); ++i) {
      for (std::size_t k = 0; k < actual.size(); ++k) {
        if (actual[i] == 1 && actual[k] == 0) {
          ++pairs;
          twice_won += scores[i] > scores[k] ? 2 : scores[i] == scores[k] ? 1 : 0;
        }
      }
    }
    EXPECT_EQ(binary(actual, scores).roc_auc, static_cast<double>(twice_won) / static_cast<double>(2 * pairs));
  }
}

TEST(classification_metrics, do_not_depend_on_the_order_of_the_rows) {
  auto expected = golden().at(4); // many equal scores
  auto actual = expected.at("actual").get<classes_of>();
  numbers scores;
  for (std::size_t i = 1; i < expected.at("probabilities").size(); i += 2)
    scores.push_back(expected.at("probabilities").at(i));
  const auto once = binary(actual, scores);
  std::vector<std::size_t> order(actual.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::mt19937 random(1);
  for (int round = 0; round < 10; ++round) {
    std::ranges::shuffle(order, random);
    classes_of other_actual;
    numbers other_scores;
    for (const auto row : order) {
      other_actual.push_back(actual[row]);
      other_scores.push_back(scores[row]);
    }
    const auto again = binary(other_actual, other_scores);
    EXPECT_EQ(again.roc_auc, once.roc_auc);
    EXPECT_EQ(again.weighted.f1, once.weighted.f1);
    EXPECT_DOUBLE_EQ(again.log_loss, once.log_loss);
  }
}

// 10^10 pairs: more than 32 bits count.
TEST(classification_metrics, area_under_roc_counts_the_pairs_of_many_rows) {
  constexpr std::size_t half = 100'000;
  classes_of actual(2 * half, 0);
  numbers scores(2 * half, 0.25);
  std::fill_n(actual.begin(), half, 1U);
  std::fill_n(scores.begin(), half, 0.75);
  EXPECT_EQ(binary(actual, scores).roc_auc, 1);
  std::fill_n(scores.begin(), half, 0.25);
  EXPECT_EQ(binary(actual, scores).roc_auc, 0.5);
}

TEST(classification_metrics, log_loss_clips_certainty_at_the_precision_of_a_float64) {
  constexpr double least = std::numeric_limits<double>::epsilon();
  EXPECT_DOUBLE_EQ(binary({0, 1}, {1, 0}).log_loss, -std::log(least));
  EXPECT_DOUBLE_EQ(binary({0, 1}, {0, 1}).log_loss, least);
}

// Each of the certain rows loses 2.2e-16, which is below the last digit of what the first one loses.
TEST(classification_metrics, log_loss_adds_up_many_small_losses) {
  classes_of actual(100'001, 1);
  numbers scores(actual.size(), 1);
  scores[0] = 0;
  constexpr double least = std::numeric_limits<double>::epsilon();
  const double expected = (-std::log(least) + 100'000 * least) / 100'001;
  EXPECT_DOUBLE_EQ(binary(actual, scores).log_loss, expected);
}

TEST(classification_metrics, rows_are_not_scaled_to_a_sum_of_one) {
  const auto found = classification(classes_of{0, 1}, numbers{0.25, 0.25, 0.5, 0.25}, 2);
  ASSERT_TRUE(found);
  EXPECT_DOUBLE_EQ(found->log_loss, std::log(4.0));
}

TEST(classification_metrics, refuse_what_cannot_be_measured) {
  const auto cause = [](const classes_of& actual, const numbers& probabilities, std::size_t classes) {
    const auto found = classification(actual, probabilities, classes);
    return found ? std::string("accepted") : found.error().text();
  };
  EXPECT_THAT(cause({}, {}, 2), HasSubstr("0 rows"));
  EXPECT_THAT(cause({0}, {1}, 1), HasSubstr("1 classes"));
  EXPECT_THAT(cause({0}, {1}, 0), HasSubstr("0 classes"));
  EXPECT_THAT(cause({0}, numbers(most_classes + 1), most_classes + 1), HasSubstr("2 to 4096"));
  EXPECT_THAT(cause({0}, {1}, std::numeric_limits<std::size_t>::max()), HasSubstr("2 to 4096"));
  EXPECT_THAT(cause({0, 1}, {1, 0, 0}, 2), HasSubstr("3 probabilities were given for 2 rows of 2 classes"));
  EXPECT_THAT(cause({0, 2}, {1, 0, 0, 1}, 2), HasSubstr("row 1 is of class number 2"));
  EXPECT_THAT(cause({0, 4294967295U}, {1, 0, 0, 1}, 2), HasSubstr("row 1 is of class number 4294967295"));
  for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity(), -0.1, 1.1})
    EXPECT_THAT(cause({0, 1}, {1, 0, 1, bad}, 2), HasSubstr("the probability of class 1 in row 1")) << bad;
  EXPECT_EQ(cause({0, 1}, {1, 0, -1e-9, 1 + 1e-9}, 2), "accepted");
}

TEST(classification_metrics, measure_as_many_classes_as_they_say) {
  const auto found =
      classification(classes_of{most_classes - 1}, numbers(most_classes, 1.0 / most_classes), most_classes);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->confusion.at((most_classes - 1) * most_classes), 1U);
}

} // namespace
} // namespace penstock::ml
