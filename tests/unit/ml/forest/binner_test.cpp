// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/binner.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace penstock::ml {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

TEST(binner, cuts_are_midpoints_between_neighbouring_values) {
  std::vector<float> values{3, 1, 2, 2, 8};
  EXPECT_EQ(quantile_cuts(values), (std::vector<float>{1.5F, 2.5F, 5.5F}));
}

TEST(binner, neighbouring_floats_are_still_told_apart) {
  for (float below : {1.0F, std::nextafter(1.0F, 2.0F)}) { // the middle rounds down after the one, up after the other
    const float above = std::nextafter(below, 2.0F);
    std::vector<float> values{above, below};
    const auto cuts = quantile_cuts(values);
    ASSERT_EQ(cuts.size(), 1U);
    EXPECT_LE(below, cuts[0]);
    EXPECT_GT(above, cuts[0]);
  }
  const float largest = std::numeric_limits<float>::max();
  std::vector<float> extremes{-largest, largest, std::nextafter(largest, 0.0F)};
  for (float cut : quantile_cuts(extremes)) {
    EXPECT_TRUE(std::isfinite(cut));
  }
}

TEST(binner, constant_and_empty_features_have_no_cut) {
  std::vector<float> constant(100, 7.0F);
  EXPECT_TRUE(quantile_cuts(constant).empty());
  std::vector<float> empty;
  EXPECT_TRUE(quantile_cuts(empty).empty());
  std::vector<float> zeros{0.0F, -0.0F};
  EXPECT_TRUE(quantile_cuts(zeros).empty());
}

TEST(binner, up_to_255_distinct_values_have_a_bin_each) {
  std::vector<float> values;
  for (int i = 0; i < 255; ++i) {
    values.insert(values.end(), i == 100 ? 10000 : 1, static_cast<float>(i));
  }
  EXPECT_EQ(quantile_cuts(values).size(), 254U);
}

TEST(binner, more_values_share_255_bins_of_about_the_same_size) {
  std::vector<float> values(25500);
  std::mt19937 random(7);
  for (float& x : values) {
    x = static_cast<float>(random()) / 1e6F;
  }
  const auto cuts = quantile_cuts(values);
  EXPECT_EQ(cuts.size(), 254U);
  for (std::size_t i = 1; i < cuts.size(); ++i) {
    const auto first = std::upper_bound(values.begin(), values.end(), cuts[i - 1]);
    const auto last = std::upper_bound(values.begin(), values.end(), cuts[i]);
    EXPECT_NEAR(static_cast<double>(last - first), 100, 3);
  }
}

TEST(binner, a_frequent_value_does_not_starve_the_others_of_bins) {
  std::vector<float> values(100000, 0.0F);
  for (int i = 1; i <= 10000; ++i) {
    values.push_back(static_cast<float>(i));
  }
  EXPECT_GE(quantile_cuts(values).size(), 200U);
}

TEST(binner, codes_agree_with_comparisons_against_the_cuts) {
  std::mt19937 random(11);
  column_matrix features(3000, 5);
  for (Eigen::Index row = 0; row < features.rows(); ++row) {
    features(row, 0) = static_cast<float>(random() % 7);
    features(row, 1) = static_cast<float>(random()) / 1e9F - 2;
    features(row, 2) = random() % 5 == 0 ? nan : static_cast<float>(random() % 1000) / 3;
    features(row, 3) = nan;
    features(row, 4) = 1.0F + static_cast<float>(random() % 50) * 0x1p-23F; // neighbours: some cuts are values
  }
  for (auto set :
       {instruction_set::portable, instruction_set::avx2, instruction_set::avx512, instruction_set::avx512_vbmi}) {
    training_control control;
    control.instructions = std::min(set, supported_instructions());
    control.threads = 1 + static_cast<unsigned>(set);
    const auto binned = bin(features, control);
    ASSERT_TRUE(binned);
    for (Eigen::Index row = 0; row < features.rows(); ++row) {
      for (Eigen::Index feature = 0; feature < features.cols(); ++feature) {
        const auto x = features(row, feature);
        const auto code = binned->row(static_cast<std::size_t>(row))[feature];
        if (std::isnan(x)) {
          ASSERT_EQ(code, missing_code);
          continue;
        }
        const auto& cuts = binned->cuts[static_cast<std::size_t>(feature)];
        for (std::size_t b = 0; b < cuts.size(); ++b) {
          ASSERT_EQ(x <= cuts[b], code <= b);
        }
      }
    }
  }
}

} // namespace
} // namespace penstock::ml
