// SPDX-License-Identifier: Apache-2.0
#include "runtime/running_metrics.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace penstock::runtime {
namespace {

running_metrics some() {
  running_metrics out;
  out.records = 3;
  out.dead_letters = 2;
  out.nulls = 1;
  out.add(1.0, 1.5);
  out.add(2.0, 0.1);
  return out;
}

TEST(running_metrics, folds_errors_record_by_record) {
  const auto all = some();
  EXPECT_EQ(all.evaluated, 2u);
  EXPECT_EQ(all.mae(), (0.5 + 1.9) / 2);
  EXPECT_EQ(all.rmse(), std::sqrt((0.5 * 0.5 + 1.9 * 1.9) / 2));
}

TEST(running_metrics, says_zero_when_nothing_was_evaluated) {
  EXPECT_EQ(running_metrics{}.mae(), 0);
  EXPECT_EQ(running_metrics{}.rmse(), 0);
}

TEST(running_metrics, adds_up_partitions) {
  auto sum = some();
  sum.merge(some());
  EXPECT_EQ(sum.records, 6u);
  EXPECT_EQ(sum.dead_letters, 4u);
  EXPECT_EQ(sum.nulls, 2u);
  EXPECT_EQ(sum.evaluated, 4u);
  EXPECT_EQ(sum.sum_absolute_error, 2 * some().sum_absolute_error);
}

TEST(running_metrics, comes_back_bit_for_bit) {
  const auto back = running_metrics::decode(some().encode());
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, some());
}

TEST(running_metrics, refuses_damage_and_a_newer_version) {
  const auto good = some().encode();
  for (std::size_t length = 0; length < good.size(); ++length)
    EXPECT_FALSE(running_metrics::decode(good.substr(0, length)).ok()) << length;
  EXPECT_EQ(running_metrics::decode(good + "x").error().code(), errc::invalid);
  auto newer = good;
  newer[4] = 2;
  EXPECT_EQ(running_metrics::decode(newer).error().code(), errc::configuration);
}

} // namespace
} // namespace penstock::runtime
