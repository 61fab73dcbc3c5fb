// SPDX-License-Identifier: Apache-2.0
#include "runtime/watchdog_policy.hpp"

#include <gtest/gtest.h>

namespace penstock::runtime {
namespace {

using namespace std::chrono_literals;

const time_point start{1000s};

void make_busy(pulse& of, time_point since) {
  of.busy_since = std::chrono::duration_cast<duration>(since.time_since_epoch()).count();
}

/// An actor that may take ten seconds for a message.
struct watched : pulse {
  explicit watched(const std::string& name, duration most = 10s) {
    actor = name;
    limit = most;
  }
};

TEST(watchdog_policy, finds_the_actor_that_takes_longer_than_its_limit) {
  watched quick("a"), slow("house-prices/predictor/3");
  make_busy(slow, start);
  watchdog_policy policy;
  for (auto at = 0s; at <= 10s; at += 1s)
    EXPECT_FALSE(policy.look({&quick, &slow}, start + at));
  const auto verdict = policy.look({&quick, &slow}, start + 11s);
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->actor, "house-prices/predictor/3");
  EXPECT_EQ(verdict->busy, 11s);
}

TEST(watchdog_policy, lets_an_actor_be_that_is_idle_or_has_no_limit) {
  watched idle("a"), patient("b", 0s);
  make_busy(patient, start - 1h);
  watchdog_policy policy;
  EXPECT_FALSE(policy.look({&idle, &patient}, start));
}

TEST(watchdog_policy, lets_an_actor_be_that_began_a_new_message_in_time) {
  watched busy("a");
  watchdog_policy policy;
  for (int i = 0; i < 60; ++i) {
    make_busy(busy, start + i * 1s);
    EXPECT_FALSE(policy.look({&busy}, start + i * 1s + 900ms));
  }
}

TEST(watchdog_policy, acquits_all_after_the_process_stood_still) {
  watched busy("a");
  watchdog_policy policy;
  make_busy(busy, start);
  EXPECT_FALSE(policy.look({&busy}, start + 1s));
  EXPECT_FALSE(policy.look({&busy}, start + 60s)) << "nobody worked in that minute";
  for (auto at = 61s; at <= 70s; at += 1s)
    EXPECT_FALSE(policy.look({&busy}, start + at)) << "it has its full limit anew";
  const auto verdict = policy.look({&busy}, start + 71s);
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->busy, 11s);
}

TEST(watchdog_policy, takes_looks_up_to_three_seconds_apart_for_a_process_that_runs) {
  watched busy("a");
  watchdog_policy policy;
  make_busy(busy, start);
  EXPECT_FALSE(policy.look({&busy}, start + 8s));
  EXPECT_TRUE(policy.look({&busy}, start + 11s));
}

TEST(watchdog_policy, is_not_confused_by_a_message_that_began_after_the_look) {
  watched busy("a");
  make_busy(busy, start + 1ms);
  EXPECT_FALSE(watchdog_policy().look({&busy}, start));
}

} // namespace
} // namespace penstock::runtime
