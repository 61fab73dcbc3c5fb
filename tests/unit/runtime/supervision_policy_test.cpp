// SPDX-License-Identifier: Apache-2.0
#include "runtime/supervision_policy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <set>

namespace penstock::runtime {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const time_point start_time{};

supervisor_spec spec_of(strategy how, std::uint32_t intensity = 5, duration within = 10s) {
  supervisor_spec spec;
  spec.id = "node/shards";
  spec.strategy = how;
  spec.intensity = intensity;
  spec.within = within;
  spec.backoff.jitter = 0;
  return spec;
}

supervision_policy policy_of(const supervisor_spec& spec, const std::vector<std::string>& children) {
  supervision_policy policy(spec);
  for (const auto& child : children)
    policy.add({child, restart_type::permanent, 5s}, start_time);
  return policy;
}

/// `stop c`, `start a +10ms`, `forget b`, `escalate`: the actions without their reasons.
std::vector<std::string> brief(const std::vector<supervision_action>& actions) {
  static const std::map<supervision_action::kind, std::string> names = {
      {supervision_action::kind::stop, "stop"},
      {supervision_action::kind::start, "start"},
      {supervision_action::kind::forget, "forget"},
      {supervision_action::kind::escalate, "escalate"},
  };
  std::vector<std::string> out;
  for (const auto& action : actions) {
    auto text = names.at(action.what);
    if (!action.child.empty())
      text += " " + action.child;
    if (action.delay > duration::zero())
      text += " +" + format_duration(action.delay);
    out.push_back(text);
  }
  return out;
}

std::vector<std::string> fails(supervision_policy& policy, const std::string& child, time_point now) {
  return brief(policy.exited(child, exit_kind::failure, "boom", now));
}

// -- strategies -------------------------------------------------------------------------------------------------------

TEST(supervision_policy, one_for_one_restarts_only_the_child_that_failed) {
  auto policy = policy_of(spec_of(strategy::one_for_one), {"a", "b", "c"});
  EXPECT_THAT(fails(policy, "b", start_time + 1s), ElementsAre("start b"));
  EXPECT_EQ(policy.find("a")->incarnation, 1U);
  EXPECT_EQ(policy.find("b")->incarnation, 2U);
}

TEST(supervision_policy, rest_for_one_stops_the_later_children_last_first_and_starts_them_in_order) {
  auto policy = policy_of(spec_of(strategy::rest_for_one), {"a", "b", "c", "d"});
  EXPECT_THAT(fails(policy, "b", start_time + 1s), ElementsAre("stop d", "stop c", "start b", "start c", "start d"));
  EXPECT_EQ(policy.find("a")->incarnation, 1U);
}

TEST(supervision_policy, one_for_all_stops_every_other_child_last_first_and_starts_all_in_order) {
  auto policy = policy_of(spec_of(strategy::one_for_all), {"a", "b", "c"});
  EXPECT_THAT(fails(policy, "b", start_time + 1s), ElementsAre("stop c", "stop a", "start a", "start b", "start c"));
}

TEST(supervision_policy, says_of_a_child_stopped_for_another_whom_it_was_stopped_for) {
  auto policy = policy_of(spec_of(strategy::one_for_all), {"a", "b"});
  (void)policy.exited("a", exit_kind::failure, "disk full", start_time + 1s);
  EXPECT_EQ(policy.find("a")->last_cause, "disk full");
  EXPECT_EQ(policy.find("b")->last_cause, "stopped for a: disk full");
}

TEST(supervision_policy, restarts_the_whole_group_after_the_same_delay) {
  auto policy = policy_of(spec_of(strategy::rest_for_one), {"a", "b"});
  (void)fails(policy, "a", start_time + 1s);
  EXPECT_THAT(fails(policy, "a", start_time + 2s), ElementsAre("stop b", "start a +10ms", "start b +10ms"));
}

// -- restart types ----------------------------------------------------------------------------------------------------

TEST(supervision_policy, restarts_a_permanent_child_even_when_it_ended_normally) {
  auto policy = policy_of(spec_of(strategy::one_for_one), {"a"});
  EXPECT_THAT(brief(policy.exited("a", exit_kind::normal, "", start_time + 1s)), ElementsAre("start a"));
}

TEST(supervision_policy, forgets_a_transient_child_that_ended_normally_and_restarts_one_that_failed) {
  supervision_policy policy(spec_of(strategy::one_for_all));
  policy.add({"a", restart_type::transient, 5s}, start_time);
  policy.add({"b", restart_type::transient, 5s}, start_time);
  EXPECT_THAT(brief(policy.exited("b", exit_kind::normal, "done", start_time)), ElementsAre("forget b"));
  EXPECT_EQ(policy.find("b"), nullptr);
  EXPECT_THAT(fails(policy, "a", start_time), ElementsAre("start a"));
}

TEST(supervision_policy, never_restarts_a_temporary_child_nor_counts_its_failure) {
  supervision_policy policy(spec_of(strategy::one_for_one, 0));
  policy.add({"a", restart_type::temporary, 5s}, start_time);
  EXPECT_THAT(fails(policy, "a", start_time), ElementsAre("forget a"));
  EXPECT_FALSE(policy.escalated());
}

TEST(supervision_policy, forgets_a_temporary_child_that_was_stopped_for_another) {
  supervision_policy policy(spec_of(strategy::one_for_all));
  policy.add({"a", restart_type::permanent, 5s}, start_time);
  policy.add({"t", restart_type::temporary, 5s}, start_time);
  policy.add({"c", restart_type::permanent, 5s}, start_time);
  EXPECT_THAT(fails(policy, "a", start_time), ElementsAre("stop c", "stop t", "forget t", "start a", "start c"));
  EXPECT_EQ(policy.find("t"), nullptr);
}

TEST(supervision_policy, takes_the_name_of_the_child_from_the_child_itself) {
  supervision_policy policy(spec_of(strategy::one_for_one));
  policy.add({"a-name-too-long-for-the-small-string-buffer", restart_type::temporary, 5s}, start_time);
  const auto actions = policy.exited(policy.children().front().spec.id, exit_kind::failure, "boom", start_time);
  EXPECT_EQ(actions.front().child, "a-name-too-long-for-the-small-string-buffer");
}

// -- intensity --------------------------------------------------------------------------------------------------------

TEST(supervision_policy, escalates_at_the_first_failure_above_the_intensity) {
  auto policy = policy_of(spec_of(strategy::one_for_one, 2, 10s), {"a", "b"});
  EXPECT_THAT(fails(policy, "a", start_time + 1s), ElementsAre("start a"));
  EXPECT_THAT(fails(policy, "b", start_time + 2s), ElementsAre("start b"));
  EXPECT_THAT(fails(policy, "a", start_time + 3s), ElementsAre("escalate"));
}

TEST(supervision_policy, forgets_failures_that_have_left_the_window) {
  auto policy = policy_of(spec_of(strategy::one_for_one, 1, 10s), {"a", "b"});
  EXPECT_THAT(fails(policy, "a", start_time), ElementsAre("start a"));
  EXPECT_THAT(fails(policy, "b", start_time + 10s + 1ns), ElementsAre("start b"));
  EXPECT_THAT(fails(policy, "b", start_time + 20s + 1ns), ElementsAre("escalate"));
}

TEST(supervision_policy, escalates_at_the_first_failure_when_the_intensity_is_zero) {
  auto policy = policy_of(spec_of(strategy::one_for_one, 0), {"a"});
  EXPECT_THAT(fails(policy, "a", start_time), ElementsAre("escalate"));
}

TEST(supervision_policy, counts_the_restart_of_a_whole_group_once) {
  auto policy = policy_of(spec_of(strategy::one_for_all, 2), {"a", "b", "c"});
  (void)fails(policy, "a", start_time + 1s);
  EXPECT_EQ(fails(policy, "a", start_time + 2s).back(), "start c +10ms");
}

TEST(supervision_policy, escalates_with_a_reason_that_names_supervisor_count_window_child_and_last_cause) {
  auto policy = policy_of(spec_of(strategy::one_for_one, 1, 10s), {"house-prices/predictor/3"});
  (void)fails(policy, "house-prices/predictor/3", start_time);
  const auto actions = policy.exited("house-prices/predictor/3", exit_kind::failure, "bad leaf", start_time + 1s);
  ASSERT_EQ(actions.size(), 1U);
  EXPECT_EQ(actions[0].reason,
            "node/shards: 2 failures within 10s are more than the 1 allowed; the last was house-prices/predictor/3: "
            "bad leaf");
}

TEST(supervision_policy, decides_nothing_after_it_has_escalated) {
  auto policy = policy_of(spec_of(strategy::one_for_one, 0), {"a", "b"});
  (void)fails(policy, "a", start_time);
  EXPECT_TRUE(policy.escalated());
  EXPECT_THAT(fails(policy, "b", start_time + 1h), IsEmpty());
  EXPECT_THAT(policy.restart_requested("b", "admin", start_time + 1h), IsEmpty());
}

// -- backoff ----------------------------------------------------------------------------------------------------------

TEST(supervision_policy, restarts_at_once_the_first_time_and_backs_off_up_to_the_longest_delay) {
  auto spec = spec_of(strategy::one_for_one, 100);
  spec.backoff = {10ms, 50ms, 2, 0, 30s};
  auto policy = policy_of(spec, {"a"});
  std::vector<duration> delays;
  for (int i = 0; i < 6; ++i)
    delays.push_back(policy.exited("a", exit_kind::failure, "boom", start_time + i * 1s).front().delay);
  EXPECT_THAT(delays, ElementsAre(0ms, 10ms, 20ms, 40ms, 50ms, 50ms));
}

TEST(supervision_policy, stays_at_the_longest_delay_however_often_a_child_fails) {
  auto spec = spec_of(strategy::one_for_one, 1'000'000);
  spec.backoff = {10ms, 5s, 10, 0, 1h};
  auto policy = policy_of(spec, {"a"});
  auto now = start_time;
  duration last{};
  for (int i = 0; i < 5000; ++i, now += 6s)
    last = policy.exited("a", exit_kind::failure, "boom", now).front().delay;
  EXPECT_EQ(last, 5s);
}

TEST(supervision_policy, restarts_at_once_again_after_a_life_of_reset_after) {
  auto spec = spec_of(strategy::one_for_one, 100);
  spec.backoff = {10ms, 5s, 2, 0, 30s};
  auto policy = policy_of(spec, {"a"});
  const auto delay_at = [&](time_point now) {
    return policy.exited("a", exit_kind::failure, "boom", now).front().delay;
  };
  EXPECT_EQ(delay_at(start_time + 1s), 0ms);
  EXPECT_EQ(delay_at(start_time + 2s), 10ms);
  EXPECT_EQ(delay_at(start_time + 2s + 10ms + 30s - 1ns), 20ms) << "its life began after the delay";
  EXPECT_EQ(delay_at(start_time + 2s + 10ms + 30s - 1ns + 20ms + 30s), 0ms);
}

TEST(supervision_policy, backs_off_for_each_child_by_itself) {
  auto policy = policy_of(spec_of(strategy::one_for_one, 100), {"a", "b"});
  (void)fails(policy, "a", start_time + 1s);
  (void)fails(policy, "a", start_time + 2s);
  EXPECT_THAT(fails(policy, "b", start_time + 3s), ElementsAre("start b"));
}

TEST(supervision_policy, spreads_delays_by_the_jitter_and_decides_the_same_again) {
  auto spec = spec_of(strategy::one_for_one, 1'000);
  spec.backoff = {1s, 1s, 1, 0.1, 1h};
  std::set<duration> seen;
  for (int i = 0; i < 50; ++i) {
    const auto child = "predictor/" + std::to_string(i);
    auto policy = policy_of(spec, {child});
    auto again = policy_of(spec, {child});
    for (auto* p : {&policy, &again})
      (void)fails(*p, child, start_time);
    const auto delay = policy.exited(child, exit_kind::failure, "boom", start_time + 1s).front().delay;
    EXPECT_GE(delay, 900ms);
    EXPECT_LE(delay, 1100ms);
    EXPECT_EQ(again.exited(child, exit_kind::failure, "boom", start_time + 1s).front().delay, delay);
    seen.insert(delay);
  }
  EXPECT_GT(seen.size(), 40U);
  EXPECT_LT(*seen.begin(), 930ms);
  EXPECT_GT(*seen.rbegin(), 1070ms);
}

// -- ends that cross
// ----------------------------------------------------------------------------------------------------

TEST(supervision_policy, restarts_both_of_two_children_that_end_at_once) {
  auto policy = policy_of(spec_of(strategy::one_for_one), {"a", "b"});
  EXPECT_THAT(brief(policy.exited("a", exit_kind::failure, "x", start_time, 1)), ElementsAre("start a"));
  EXPECT_THAT(brief(policy.exited("b", exit_kind::failure, "x", start_time, 1)), ElementsAre("start b"));
}

TEST(supervision_policy, restarts_a_group_once_when_two_of_its_children_end_at_once) {
  auto policy = policy_of(spec_of(strategy::one_for_all, 1), {"a", "b"});
  EXPECT_THAT(brief(policy.exited("a", exit_kind::failure, "x", start_time, 1)),
              ElementsAre("stop b", "start a", "start b"));
  EXPECT_THAT(policy.exited("b", exit_kind::failure, "x", start_time, 1), IsEmpty());
  EXPECT_EQ(policy.find("b")->incarnation, 2U);
  EXPECT_FALSE(policy.escalated());
}

TEST(supervision_policy, takes_no_notice_of_a_child_that_ends_while_it_is_stopped_for_another) {
  auto policy = policy_of(spec_of(strategy::rest_for_one), {"a", "b"});
  (void)policy.exited("a", exit_kind::failure, "x", start_time, 1);
  EXPECT_THAT(policy.exited("b", exit_kind::normal, "stopped", start_time + 3s, 1), IsEmpty())
      << "it took three seconds to stop, and that is still the end of its first life";
  EXPECT_THAT(brief(policy.exited("b", exit_kind::failure, "x", start_time + 4s, 2)), ElementsAre("start b"))
      << "its second life is its own";
}

TEST(supervision_policy, takes_no_notice_of_the_end_of_a_child_that_waits_for_its_start) {
  auto policy = policy_of(spec_of(strategy::one_for_one), {"a"});
  (void)fails(policy, "a", start_time + 1s);
  (void)fails(policy, "a", start_time + 1s);
  EXPECT_THAT(fails(policy, "a", start_time + 1s + 9ms), IsEmpty());
  EXPECT_THAT(fails(policy, "a", start_time + 1s + 10ms), ElementsAre("start a +20ms"));
}

TEST(supervision_policy, takes_no_notice_of_a_child_it_does_not_know) {
  auto policy = policy_of(spec_of(strategy::one_for_one, 0), {"a"});
  policy.remove("a");
  EXPECT_THAT(fails(policy, "a", start_time), IsEmpty());
  EXPECT_FALSE(policy.escalated());
}

TEST(supervision_policy, withdraws_the_start_of_a_child_that_waits_when_the_group_restarts) {
  auto policy = policy_of(spec_of(strategy::rest_for_one), {"a", "b"});
  (void)fails(policy, "b", start_time + 1s);
  EXPECT_THAT(fails(policy, "b", start_time + 2s), ElementsAre("start b +10ms"));
  EXPECT_THAT(fails(policy, "a", start_time + 2s + 1ms), ElementsAre("stop b", "start a", "start b"));
}

// -- restarts that were asked for
// ---------------------------------------------------------------------------------------

TEST(supervision_policy, stops_and_starts_a_child_that_is_to_be_restarted_with_its_group) {
  auto policy = policy_of(spec_of(strategy::rest_for_one, 0), {"a", "b", "c"});
  EXPECT_THAT(brief(policy.restart_requested("b", "admin", start_time)),
              ElementsAre("stop c", "stop b", "start b", "start c"));
  EXPECT_EQ(policy.find("b")->last_cause, "admin");
}

TEST(supervision_policy, never_escalates_because_of_restarts_that_were_asked_for) {
  auto policy = policy_of(spec_of(strategy::one_for_one, 1, 1h), {"a", "b"});
  auto now = start_time;
  for (int i = 0; i < 100; ++i, now += 6s)
    EXPECT_FALSE(policy.restart_requested("a", "stuck", now).empty());
  EXPECT_THAT(fails(policy, "b", now), ElementsAre("start b"));
}

TEST(supervision_policy, has_nothing_to_do_for_a_request_while_the_child_waits_for_its_start) {
  auto policy = policy_of(spec_of(strategy::one_for_one), {"a"});
  (void)fails(policy, "a", start_time);
  (void)fails(policy, "a", start_time);
  EXPECT_THAT(policy.restart_requested("a", "admin", start_time), IsEmpty());
  EXPECT_THAT(policy.restart_requested("nobody", "admin", start_time), IsEmpty());
}

// -- invariants over random histories
// -----------------------------------------------------------------------------------

/// Carries the actions out as a supervisor would and checks them as it goes.
class model_supervisor {
public:
  model_supervisor(const supervisor_spec& spec, std::size_t children) : policy_(spec) {
    for (std::size_t i = 0; i < children; ++i) {
      const auto id = "child/" + std::to_string(i);
      policy_.add({id, restart_type::permanent, 5s}, start_time);
      order_.push_back(id);
      lives_[id] = {1, true};
    }
  }

  /// The child fails, or an end of its life before is reported late.
  void fail_or_repeat(const std::string& id, bool stale, time_point now) {
    auto& life = lives_[id];
    if (stale) {
      EXPECT_THAT(policy_.exited(id, exit_kind::failure, "boom", now, life.incarnation + 1000), IsEmpty());
      if (life.incarnation > 1) {
        EXPECT_THAT(policy_.exited(id, exit_kind::failure, "boom", now, life.incarnation - 1), IsEmpty());
      }
      return;
    }
    const auto actions = policy_.exited(id, exit_kind::failure, "boom", now, life.incarnation);
    life.running = false;
    failures_.push_back(now);
    check(actions, now);
  }

  [[nodiscard]] bool ended() const { return policy_.escalated(); }
  [[nodiscard]] const std::vector<std::string>& order() const { return order_; }

private:
  struct life_of_child {
    std::uint64_t incarnation = 1;
    bool running = true;
  };

  void check(const std::vector<supervision_action>& actions, time_point now) {
    const auto& spec = policy_.spec();
    const auto recent = std::ranges::count_if(failures_, [&](time_point at) { return at + spec.within >= now; });
    EXPECT_EQ(policy_.escalated(), recent > spec.intensity) << recent << " failures in the window";
    if (policy_.escalated()) {
      EXPECT_EQ(actions.size(), 1U);
      return;
    }
    std::ptrdiff_t last_stopped = static_cast<std::ptrdiff_t>(order_.size());
    std::ptrdiff_t last_started = -1;
    for (const auto& action : actions) {
      const auto place = std::ranges::find(order_, action.child) - order_.begin();
      auto& life = lives_[action.child];
      if (action.what == supervision_action::kind::stop) {
        EXPECT_LT(place, last_stopped);
        EXPECT_EQ(last_started, -1) << "every stop comes before every start";
        last_stopped = place;
        life.running = false;
      } else {
        EXPECT_GT(place, last_started);
        EXPECT_FALSE(life.running) << "two lives of " << action.child;
        last_started = place;
        life.running = true;
        EXPECT_EQ(policy_.find(action.child)->incarnation, ++life.incarnation);
        EXPECT_LE(action.delay, spec.backoff.max);
      }
    }
    for (const auto& [id, life] : lives_)
      EXPECT_TRUE(life.running) << id << " was left behind";
  }

  supervision_policy policy_;
  std::vector<std::string> order_;
  std::map<std::string, life_of_child> lives_;
  std::vector<time_point> failures_;
};

TEST(supervision_policy, keeps_its_invariants_over_random_histories) {
  for (std::uint32_t seed = 1; seed <= 600; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto pick = [&](std::uint32_t below) { return static_cast<std::uint32_t>(random()) % below; };
    auto spec = spec_of(static_cast<strategy>(pick(3)), 1 + pick(6), 1s * (1 + pick(20)));
    model_supervisor supervisor(spec, 1 + pick(6));
    auto now = start_time;
    for (int step = 0; step < 300 && !supervisor.ended(); ++step) {
      now += 1ms * pick(step % 7 == 0 ? 20'000 : 4'000);
      supervisor.fail_or_repeat(supervisor.order()[pick(static_cast<std::uint32_t>(supervisor.order().size()))],
                                pick(4) == 0, now);
    }
    if (::testing::Test::HasFailure())
      return;
  }
}

} // namespace
} // namespace penstock::runtime
