// SPDX-License-Identifier: Apache-2.0
#include "keeper/restart_policy.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <random>
#include <vector>

using namespace penstock::keeper;
using namespace std::chrono_literals;

namespace {

constexpr death exited(int code) {
  return {death::kind::exited, code};
}

constexpr death killed(int signal) {
  return {death::kind::killed, signal};
}

constexpr death oom{death::kind::oom, SIGKILL};

constexpr verdict restart_after(penstock::keeper::duration delay) {
  return {.what = verdict::kind::restart, .delay = delay};
}

/// A policy on virtual time.
class life {
public:
  explicit life(const restart_limits& limits = {}) : policy_(limits) {}

  /// The child starts, lives so long and dies; time goes on by the delay of the restart.
  verdict ends(const death& how, penstock::keeper::duration lived) {
    policy_.started(now_);
    now_ += lived;
    const auto decision = policy_.died(how, now_);
    now_ += decision.delay;
    return decision;
  }

private:
  restart_policy policy_;
  time_point now_{};
};

TEST(restart_policy, passes_on_what_a_restart_cannot_help) {
  for (const int code : {0, 2, 3, 4, 5, 69, 77, 78, 126, 127, 130, 143})
    EXPECT_EQ(life().ends(exited(code), 1s), (verdict{.what = verdict::kind::stop, .exit_code = code})) << code;
}

TEST(restart_policy, restarts_every_other_death) {
  for (const int code : {1, 6, 70, 75, 86, 124, 255})
    EXPECT_EQ(life().ends(exited(code), 1s).what, verdict::kind::restart) << code;
  for (const int signal : {SIGKILL, SIGSEGV, SIGTERM, SIGPIPE, SIGABRT})
    EXPECT_EQ(life().ends(killed(signal), 1s).what, verdict::kind::restart) << signal;
  EXPECT_EQ(life().ends(oom, 1s).what, verdict::kind::restart);
}

TEST(restart_policy, restarts_the_first_time_at_once_and_then_with_growing_backoff) {
  life child({.intensity = 100});
  std::vector<penstock::keeper::duration> delays;
  for (int i = 0; i < 10; ++i)
    delays.push_back(child.ends(exited(1), 1s).delay);
  EXPECT_EQ(delays, (std::vector<penstock::keeper::duration>{0s, 100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 6400ms,
                                                             10s, 10s}));
}

TEST(restart_policy, forgets_the_backoff_after_a_long_life) {
  life child({.intensity = 100});
  for (int i = 0; i < 5; ++i)
    (void)child.ends(exited(1), 1s);
  EXPECT_EQ(child.ends(exited(1), 30s).delay, 0s);
  EXPECT_EQ(child.ends(exited(1), 29s).delay, 100ms);
}

TEST(restart_policy, gives_up_after_five_hard_deaths_in_ten_seconds) {
  for (const death& how : {exited(1), exited(70), exited(124), killed(SIGPIPE)}) {
    life child;
    for (int i = 0; i < 5; ++i)
      ASSERT_EQ(child.ends(how, 0s).what, verdict::kind::restart) << i;
    EXPECT_EQ(child.ends(how, 0s),
              (verdict{.what = verdict::kind::give_up, .exit_code = 1, .restarts = 5, .period = 10s}));
  }
}

TEST(restart_policy, goes_on_for_ever_when_hard_deaths_are_rare_enough) {
  life child;
  for (int i = 0; i < 1'000; ++i)
    ASSERT_EQ(child.ends(exited(1), 2s).what, verdict::kind::restart) << i;
}

TEST(restart_policy, counts_the_restarts_of_the_last_period_alone) {
  life child({.intensity = 2, .within = 10s, .backoff_initial = 0ms});
  EXPECT_EQ(child.ends(exited(1), 1s).what, verdict::kind::restart);    // at 1 s
  EXPECT_EQ(child.ends(exited(1), 1s).what, verdict::kind::restart);    // at 2 s
  EXPECT_EQ(child.ends(exited(1), 9s).what, verdict::kind::restart);    // at 11 s: the first is over
  EXPECT_EQ(child.ends(exited(1), 999ms).what, verdict::kind::give_up); // the second is not
}

TEST(restart_policy, never_restarts_hard_deaths_when_the_intensity_is_zero) {
  EXPECT_EQ(life({.intensity = 0}).ends(exited(1), 1h).what, verdict::kind::give_up);
}

TEST(restart_policy, survives_kill_9_at_random_moments_for_ever_and_without_delay) {
  std::mt19937 random(42);
  life child;
  for (int i = 0; i < 10'000; ++i)
    ASSERT_EQ(child.ends(killed(SIGKILL), std::chrono::milliseconds(100 + random() % 3'000)), restart_after(0s)) << i;
}

TEST(restart_policy, counts_a_kill_of_a_child_that_did_not_come_up) {
  life child;
  for (int i = 0; i < 5; ++i)
    ASSERT_EQ(child.ends(killed(SIGKILL), 99ms).what, verdict::kind::restart);
  EXPECT_EQ(child.ends(killed(SIGKILL), 99ms).what, verdict::kind::give_up);
}

TEST(restart_policy, does_not_let_kills_use_up_the_intensity_of_hard_deaths) {
  life child;
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(child.ends(exited(1), 0s).what, verdict::kind::restart);
    ASSERT_EQ(child.ends(killed(SIGKILL), 200ms).what, verdict::kind::restart);
  }
  EXPECT_EQ(child.ends(exited(1), 0s).what, verdict::kind::give_up);
}

TEST(restart_policy, allows_suspect_deaths_at_once_up_to_a_limit_of_their_own) {
  for (const death& how :
       {exited(86), oom, killed(SIGSEGV), killed(SIGBUS), killed(SIGILL), killed(SIGFPE), killed(SIGABRT)}) {
    life child;
    for (int i = 0; i < 60; ++i)
      ASSERT_EQ(child.ends(how, 200ms), restart_after(0s)) << i;
    EXPECT_EQ(child.ends(how, 200ms),
              (verdict{.what = verdict::kind::give_up, .exit_code = 1, .restarts = 60, .period = 60s}));
  }
}

TEST(restart_policy, does_not_let_suspect_deaths_use_up_the_intensity) {
  life child;
  for (int i = 0; i < 20; ++i)
    ASSERT_EQ(child.ends(killed(SIGSEGV), 200ms).what, verdict::kind::restart);
  for (int i = 0; i < 5; ++i)
    ASSERT_EQ(child.ends(exited(1), 0s).what, verdict::kind::restart);
  EXPECT_EQ(child.ends(exited(1), 0s).what, verdict::kind::give_up);
}

TEST(restart_policy, breathes_between_suspect_deaths_of_short_lives) {
  life child;
  EXPECT_EQ(child.ends(killed(SIGSEGV), 99ms), restart_after(100ms));
  EXPECT_EQ(child.ends(killed(SIGSEGV), 100ms), restart_after(0s));
}

TEST(restart_policy, lets_a_child_try_again_for_ever_but_never_at_once) {
  life child;
  EXPECT_EQ(child.ends(exited(75), 0s), restart_after(100ms));
  for (int i = 0; i < 100; ++i)
    ASSERT_GT(child.ends(exited(75), 0s).delay, 100ms);
  EXPECT_EQ(child.ends(exited(75), 0s), restart_after(10s));
}

TEST(restart_policy, does_not_overflow_after_any_number_of_backoffs) {
  life child({.intensity = 1'000'000, .backoff_max = 1'000'000ms});
  for (int i = 0; i < 1'000; ++i)
    ASSERT_LE(child.ends(exited(1), 0s).delay, 1'000'000ms);
}

TEST(death, is_named_for_the_next_life) {
  EXPECT_EQ(name_of({}), "none");
  EXPECT_EQ(name_of(exited(1)), "exit:1");
  EXPECT_EQ(name_of(exited(86)), "watchdog");
  EXPECT_EQ(name_of(killed(SIGSEGV)), "signal:11");
  EXPECT_EQ(name_of(oom), "oom");
}

} // namespace
