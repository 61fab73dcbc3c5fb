// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"
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

running_metrics classified() {
  running_metrics out;
  out.add(1, 1, 2, 0.75); // actual, predicted, of two classes, probability of the actual one
  out.add(0, 1, 2, 0.25);
  out.add(0, 0, 2, 1.0);
  out.add(1, 0, 2, 0.0);
  out.add(1, 1, 2, 0.5);
  return out;
}

TEST(running_metrics, measures_classes) {
  const auto all = classified();
  EXPECT_EQ(all.classified, 5u);
  EXPECT_EQ(all.accuracy(), 3.0 / 5);
  EXPECT_EQ(all.precision(), 2.0 / 3);
  EXPECT_EQ(all.recall(), 2.0 / 3);
  EXPECT_EQ(all.f1(), 4.0 / 6);
  const double least = 0x1p-52;
  EXPECT_NEAR(all.log_loss(),
              -(std::log(0.75) + std::log(0.25) + std::log(1 - least) + std::log(least) + std::log(0.5)) / 5, 1e-12);
  EXPECT_EQ(all.evaluated, 0u);
  EXPECT_EQ(running_metrics{}.accuracy() + running_metrics{}.log_loss() + running_metrics{}.f1(), 0);
}

TEST(running_metrics, has_a_positive_class_only_among_two) {
  running_metrics three;
  three.add(1, 1, 3, 0.5);
  three.add(0, 1, 3, 0.5);
  EXPECT_EQ(three.accuracy(), 0.5);
  EXPECT_EQ(three.positives + three.false_positives + three.false_negatives, 0u);
}

TEST(running_metrics, keeps_and_adds_up_what_it_knows_of_classes) {
  const auto back = running_metrics::decode(classified().encode());
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, classified());
  auto sum = classified();
  sum.merge(classified());
  EXPECT_EQ(sum.classified, 10u);
  EXPECT_EQ(sum.correct, 6u);
  EXPECT_EQ(sum.positives, 4u);
  EXPECT_EQ(sum.false_positives, 2u);
  EXPECT_EQ(sum.false_negatives, 2u);
  EXPECT_EQ(sum.sum_log_loss, 2 * classified().sum_log_loss);
}

TEST(running_metrics, reads_what_version_1_wrote) {
  byte_writer body;
  for (const auto count : std::vector<std::uint64_t>{3, 2, 1, 2})
    body.number(count);
  body.number(0.5);
  body.number(0.25);
  byte_writer old;
  old.number(std::uint32_t{0x4d525350});
  old.number(std::uint16_t{1});
  old.string(body.bytes());
  const auto back = running_metrics::decode(old.bytes());
  ASSERT_TRUE(back.ok()) << back.error().text();
  EXPECT_EQ(back->records, 3u);
  EXPECT_EQ(back->sum_squared_error, 0.25);
  EXPECT_EQ(back->classified, 0u);
}

TEST(running_metrics, refuses_damage_and_a_newer_version) {
  const auto good = some().encode();
  for (std::size_t length = 0; length < good.size(); ++length)
    EXPECT_FALSE(running_metrics::decode(good.substr(0, length)).ok()) << length;
  EXPECT_EQ(running_metrics::decode(good + "x").error().code(), errc::invalid);
  auto newer = good;
  newer[4] = 3;
  EXPECT_EQ(running_metrics::decode(newer).error().code(), errc::configuration);
}

} // namespace
} // namespace penstock::runtime
