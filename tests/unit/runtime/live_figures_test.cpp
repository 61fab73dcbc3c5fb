// SPDX-License-Identifier: Apache-2.0
#include "runtime/live_figures.hpp"

#include <gtest/gtest.h>

namespace penstock::runtime {
namespace {

using namespace std::chrono_literals;
using kind = stop_reason::kind;

const time_point start{100s};

live_sample sample_of(std::uint64_t records, std::uint64_t dead_letters = 0) {
  live_sample sample;
  sample.records = records;
  sample.dead_letters = dead_letters;
  return sample;
}

stop_spec shipped() {
  stop_spec spec;
  spec.records = 4128;
  spec.idle = 30s;
  spec.time = 120s;
  return spec;
}

/// What has fired, or nothing.
std::optional<kind> fired(live_figures& figures, time_point now) {
  const auto reason = figures.stop(now);
  return reason ? std::optional(reason->what) : std::nullopt;
}

// -- figures
// ------------------------------------------------------------------------------------------------------------

TEST(live_figures, shows_the_totals_lags_and_errors_of_the_last_sample) {
  live_figures figures({}, start);
  auto sample = sample_of(100, 3);
  sample.commits = 7;
  sample.restarts = 2;
  sample.lags = {{"a", 10}, {"b", 5}};
  sample.mae = 0.36;
  sample.rmse = 0.54;
  figures.sample(sample, start + 2s);
  const auto seen = figures.view(start + 3s);
  EXPECT_EQ(seen.elapsed, 3s);
  EXPECT_EQ(seen.records, 100U);
  EXPECT_EQ(seen.dead_letters, 3U);
  EXPECT_EQ(seen.lag, 15U);
  EXPECT_EQ(seen.lags, sample.lags);
  EXPECT_EQ(seen.commits, 7U);
  EXPECT_EQ(seen.restarts, 2U);
  EXPECT_EQ(seen.mae, 0.36);
  EXPECT_EQ(seen.rmse, 0.54);
}

TEST(live_figures, makes_the_rate_of_the_last_five_seconds_with_dead_letters) {
  live_figures figures({}, start);
  for (int i = 0; i <= 100; ++i)
    figures.sample(sample_of(static_cast<std::uint64_t>(i) * 90, static_cast<std::uint64_t>(i) * 10),
                   start + i * 100ms);
  EXPECT_DOUBLE_EQ(figures.view(start + 10s).rate, 1000);
  for (int i = 101; i <= 125; ++i)
    figures.sample(sample_of(9000, 1000), start + i * 100ms);
  EXPECT_DOUBLE_EQ(figures.view(start + 12500ms).rate, 500) << "half of the window stood still";
  for (int i = 126; i <= 160; ++i)
    figures.sample(sample_of(9000, 1000), start + i * 100ms);
  EXPECT_DOUBLE_EQ(figures.view(start + 16s).rate, 0);
}

TEST(live_figures, lets_the_rate_fall_when_no_sample_comes_any_more) {
  live_figures figures({}, start);
  figures.sample(sample_of(0), start);
  figures.sample(sample_of(1000), start + 1s);
  EXPECT_DOUBLE_EQ(figures.view(start + 1s).rate, 1000);
  EXPECT_DOUBLE_EQ(figures.view(start + 4s).rate, 250);
  EXPECT_DOUBLE_EQ(figures.view(start + 10s).rate, 0);
}

TEST(live_figures, has_no_rate_before_there_are_two_samples) {
  live_figures figures({}, start);
  EXPECT_EQ(figures.view(start).rate, 0);
  figures.sample(sample_of(1000), start);
  EXPECT_EQ(figures.view(start).rate, 0);
  EXPECT_EQ(figures.view(start).average_rate, 0);
}

TEST(live_figures, makes_no_rate_of_what_was_committed_before_this_run) {
  live_figures figures({}, start);
  auto closed = sample_of(0);
  closed.opened = false;
  figures.sample(closed, start);
  figures.sample(sample_of(3000), start + 1s);
  figures.sample(sample_of(3500), start + 2s);
  const auto seen = figures.view(start + 2s);
  EXPECT_DOUBLE_EQ(seen.rate, 500);
  EXPECT_DOUBLE_EQ(seen.average_rate, 500);
  EXPECT_EQ(seen.processed, 500U);
  EXPECT_EQ(seen.records, 3500U);
}

TEST(live_figures, averages_over_the_time_up_to_the_last_record) {
  live_figures figures({}, start);
  figures.sample(sample_of(0), start);
  figures.sample(sample_of(4000), start + 8s);
  figures.sample(sample_of(4000), start + 38s);
  EXPECT_DOUBLE_EQ(figures.view(start + 38s).average_rate, 500);
}

TEST(live_figures, holds_totals_that_fall_while_a_shard_opens_anew) {
  live_figures figures({}, start);
  figures.sample(sample_of(1000, 10), start);
  auto reopening = sample_of(400, 0);
  reopening.opened = false;
  figures.sample(reopening, start + 1s);
  EXPECT_EQ(figures.view(start + 1s).records, 1000U);
  EXPECT_EQ(figures.view(start + 1s).dead_letters, 10U);
  figures.sample(sample_of(1200, 10), start + 2s);
  EXPECT_DOUBLE_EQ(figures.view(start + 2s).rate, 100);
}

TEST(live_figures, gives_quantiles_of_commit_latencies_however_they_are_handed_in) {
  live_figures figures({}, start);
  for (int i = 0; i < 50; ++i)
    figures.committed(1ms);
  latency_histogram more;
  for (int i = 0; i < 49; ++i)
    more.record(1ms);
  more.record(100ms);
  more.record(100ms);
  figures.committed(more);
  const auto seen = figures.view(start);
  EXPECT_NEAR(std::chrono::duration<double>(seen.commit_p50).count(), 0.001, 0.00002);
  EXPECT_NEAR(std::chrono::duration<double>(seen.commit_p99).count(), 0.1, 0.002);
}

// -- stop_when
// ----------------------------------------------------------------------------------------------------------

TEST(live_figures, stops_when_outputs_and_dead_letters_together_have_reached_the_number) {
  live_figures figures(shipped(), start);
  figures.sample(sample_of(4000, 127), start + 1s);
  EXPECT_FALSE(fired(figures, start + 1s));
  figures.sample(sample_of(4000, 128), start + 2s);
  ASSERT_EQ(fired(figures, start + 2s), kind::records);
  EXPECT_EQ(figures.stop(start + 2s)->text, "records: 4,128 of 4,128 processed");
}

TEST(live_figures, stops_at_once_when_an_earlier_run_has_processed_everything) {
  live_figures figures(shipped(), start);
  figures.sample(sample_of(4128), start);
  EXPECT_EQ(fired(figures, start), kind::records);
}

TEST(live_figures, stops_when_nothing_was_processed_for_the_idle_time) {
  live_figures figures(shipped(), start);
  figures.sample(sample_of(0), start);
  figures.sample(sample_of(10), start + 20s);
  for (int i = 21; i < 50; ++i) {
    figures.sample(sample_of(10), start + i * 1s);
    EXPECT_FALSE(fired(figures, start + i * 1s)) << i;
  }
  figures.sample(sample_of(10), start + 50s);
  ASSERT_EQ(fired(figures, start + 50s), kind::idle);
  EXPECT_EQ(figures.stop(start + 50s)->text, "idle: nothing processed for 30s");
}

TEST(live_figures, counts_idle_time_only_once_every_stream_has_a_model) {
  live_figures figures(shipped(), start);
  auto training = sample_of(0);
  training.models_ready = false;
  for (int i = 0; i <= 60; ++i) {
    figures.sample(training, start + i * 1s);
    EXPECT_FALSE(fired(figures, start + i * 1s)) << "training may take its time";
  }
  figures.sample(sample_of(0), start + 61s);
  EXPECT_FALSE(fired(figures, start + 90s));
  EXPECT_EQ(fired(figures, start + 91s), kind::idle);
}

TEST(live_figures, counts_idle_time_anew_when_a_stream_has_lost_its_model_and_got_one_again) {
  live_figures figures(shipped(), start);
  figures.sample(sample_of(0), start);
  auto without = sample_of(0);
  without.models_ready = false;
  figures.sample(without, start + 29s);
  EXPECT_FALSE(fired(figures, start + 40s));
  figures.sample(sample_of(0), start + 41s);
  EXPECT_FALSE(fired(figures, start + 70s));
  EXPECT_EQ(fired(figures, start + 71s), kind::idle);
}

TEST(live_figures, does_not_take_a_slow_source_for_the_end) {
  live_figures figures(shipped(), start);
  auto slow = sample_of(5);
  slow.active_every = 25s;
  figures.sample(slow, start + 10s);
  EXPECT_FALSE(fired(figures, start + 59s));
  EXPECT_EQ(fired(figures, start + 60s), kind::idle) << "it has missed two of its records";
}

TEST(live_figures, does_not_wait_for_ever_for_a_source_that_brings_nothing) {
  live_figures figures(shipped(), start);
  auto stuck = sample_of(5);
  stuck.active_every = 2ms;
  figures.sample(stuck, start + 10s);
  EXPECT_FALSE(fired(figures, start + 39s));
  EXPECT_EQ(fired(figures, start + 40s), kind::idle);
}

TEST(live_figures, stops_when_the_time_is_over_even_while_records_flow) {
  live_figures figures(shipped(), start);
  for (int i = 0; i < 120; ++i) {
    figures.sample(sample_of(static_cast<std::uint64_t>(i)), start + i * 1s);
    EXPECT_FALSE(fired(figures, start + i * 1s));
  }
  figures.sample(sample_of(120), start + 120s);
  ASSERT_EQ(fired(figures, start + 120s), kind::time);
  EXPECT_EQ(figures.stop(start + 120s)->text, "time: 2m 00s have passed");
}

TEST(live_figures, names_records_before_idle_before_time_when_several_hold) {
  live_figures figures(shipped(), start);
  figures.sample(sample_of(4128), start);
  EXPECT_EQ(fired(figures, start + 500s), kind::records);
  live_figures others(shipped(), start);
  others.sample(sample_of(1), start);
  EXPECT_EQ(fired(others, start + 500s), kind::idle);
}

TEST(live_figures, stays_with_the_reason_that_came_first) {
  live_figures figures(shipped(), start);
  figures.sample(sample_of(1), start);
  EXPECT_EQ(fired(figures, start + 40s), kind::idle);
  figures.sample(sample_of(4128), start + 41s);
  EXPECT_EQ(fired(figures, start + 41s), kind::idle);
}

TEST(live_figures, never_stops_without_a_condition) {
  live_figures figures({}, start);
  figures.sample(sample_of(1'000'000), start);
  EXPECT_FALSE(fired(figures, start + 1000h));
}

} // namespace
} // namespace penstock::runtime
