// SPDX-License-Identifier: Apache-2.0
#include "runtime/latency_histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace penstock::runtime {
namespace {

using namespace std::chrono_literals;

double relative_error(duration got, duration wanted) {
  return std::abs(static_cast<double>((got - wanted).count())) / static_cast<double>(wanted.count());
}

TEST(latency_histogram, is_zero_when_nothing_was_recorded) {
  EXPECT_EQ(latency_histogram().quantile(0.5), 0ns);
  EXPECT_EQ(latency_histogram().count(), 0U);
}

TEST(latency_histogram, gives_back_a_single_duration_to_two_percent_whatever_its_size) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const duration value(static_cast<std::int64_t>(random() >> (24 + random() % 40)) + 1);
    latency_histogram one;
    one.record(value);
    for (const double q : {0.0, 0.5, 1.0})
      ASSERT_LE(relative_error(one.quantile(q), value), 0.02) << value.count();
  }
}

TEST(latency_histogram, agrees_to_two_percent_with_the_sorted_durations_at_every_quantile) {
  std::mt19937 random(7);
  std::lognormal_distribution<double> milliseconds(1.0, 1.5);
  latency_histogram counted;
  std::vector<duration> all;
  for (int i = 0; i < 10'000; ++i) {
    all.emplace_back(static_cast<std::int64_t>(milliseconds(random) * 1e6));
    counted.record(all.back());
  }
  std::ranges::sort(all);
  for (const double q : {0.0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = std::max(1.0, std::ceil(q * static_cast<double>(all.size())));
    const auto exact = all[static_cast<std::size_t>(rank) - 1];
    EXPECT_LE(relative_error(counted.quantile(q), exact), 0.02) << q;
  }
}

TEST(latency_histogram, keeps_apart_the_durations_on_both_sides_of_a_quantile) {
  latency_histogram counted;
  for (int i = 0; i < 99; ++i)
    counted.record(1ms);
  counted.record(1s);
  EXPECT_LE(relative_error(counted.quantile(0.99), 1ms), 0.02);
  EXPECT_LE(relative_error(counted.quantile(0.991), 1s), 0.02);
}

TEST(latency_histogram, takes_durations_out_of_range_at_the_nearest_end) {
  latency_histogram counted;
  counted.record(-5s);
  EXPECT_EQ(counted.quantile(1), 0ns);
  counted.record(duration::max());
  EXPECT_LE(relative_error(counted.quantile(1), latency_histogram::longest), 0.02);
}

TEST(latency_histogram, merges_to_what_one_would_have_counted) {
  latency_histogram left, right, both;
  for (int i = 1; i <= 1000; ++i) {
    (i % 3 == 0 ? left : right).record(i * 1us);
    both.record(i * 1us);
  }
  left.merge(right);
  EXPECT_EQ(left.count(), 1000U);
  for (const double q : {0.1, 0.5, 0.99})
    EXPECT_EQ(left.quantile(q), both.quantile(q));
}

} // namespace
} // namespace penstock::runtime
