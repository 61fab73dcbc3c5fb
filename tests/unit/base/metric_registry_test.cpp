// SPDX-License-Identifier: Apache-2.0
#include "base/metric_registry.hpp"

#include <gtest/gtest.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <algorithm>
#include <stdexcept>
#include <thread>

using namespace penstock;

namespace {

TEST(metric_registry, writes_the_text_exposition_format) {
  metric_registry registry;
  registry.counter("penstock_records_total", "Records\nwith \\ a back-slash", {{"stream", "s\"1"}}).Increment(3);
  registry.gauge("penstock_lag_records", "Lag").Set(7);
  registry.histogram("penstock_commit_seconds", "Commits", {}, {0.1, 1}).Observe(0.5);
  const auto text = registry.exposition();
  for (const char* part :
       {"# HELP penstock_records_total Records\\nwith \\\\ a back-slash\n", "# TYPE penstock_records_total counter\n",
        "penstock_records_total{stream=\"s\\\"1\"} 3\n", "# TYPE penstock_lag_records gauge\n",
        "penstock_lag_records 7\n", "penstock_commit_seconds_bucket{le=\"0.1\"} 0\n",
        "penstock_commit_seconds_bucket{le=\"1\"} 1\n", "penstock_commit_seconds_bucket{le=\"+Inf\"} 1\n",
        "penstock_commit_seconds_count 1\n"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\nin\n" << text;
}

TEST(metric_registry, hands_out_the_same_series_for_the_same_labels) {
  metric_registry registry;
  auto& first = registry.counter("penstock_records_total", "Records", {{"partition", "0"}});
  auto& other = registry.counter("penstock_records_total", "Records", {{"partition", "1"}});
  EXPECT_EQ(&first, &registry.counter("penstock_records_total", "other help", {{"partition", "0"}}));
  EXPECT_NE(&first, &other);
  EXPECT_EQ(registry.series(), 2U);
}

TEST(metric_registry, counts_every_bucket_as_a_series) {
  metric_registry registry;
  (void)registry.histogram("penstock_commit_seconds", "Commits", {}, latency_buckets());
  EXPECT_EQ(registry.series(), latency_buckets().size() + 3);
}

TEST(metric_registry, refuses_what_is_a_bug_of_the_caller) {
  metric_registry registry;
  (void)registry.counter("penstock_records_total", "Records");
  EXPECT_THROW((void)registry.gauge("penstock_records_total", "Records"), std::invalid_argument);
  EXPECT_THROW((void)registry.counter("no-name", "Records"), std::invalid_argument);
  EXPECT_THROW((void)registry.counter("no-name", "Records"), std::invalid_argument);
  EXPECT_THROW((void)registry.histogram("penstock_x_seconds", "X", {}, {1, 1}), std::invalid_argument);
}

TEST(metric_registry, counts_exactly_with_many_threads) {
  metric_registry registry;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i)
        registry.counter("penstock_records_total", "Records").Increment();
    });
  for (auto& thread : threads)
    thread.join();
  EXPECT_EQ(registry.counter("penstock_records_total", "Records").Value(), 4000);
}

TEST(metric_registry, has_latency_buckets_from_100_microseconds_to_10_seconds) {
  EXPECT_TRUE(std::ranges::is_sorted(latency_buckets()));
  EXPECT_EQ(latency_buckets().front(), 0.0001);
  EXPECT_EQ(latency_buckets().back(), 10);
}

} // namespace
