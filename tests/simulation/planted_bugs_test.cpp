// SPDX-License-Identifier: Apache-2.0
#include "base/fault_point.hpp"
#include "tests/support/simulated_schedule.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace penstock::test {
namespace {

/// Enough schedules that each bug is met many times over.
constexpr std::uint64_t most_schedules = 2000;

/// True when a schedule breaks an invariant under settings that plant a bug.
bool is_noticed(const std::function<void(world_settings&)>& plant) {
  for (std::uint64_t seed = 1; seed <= most_schedules; ++seed)
    if (run_schedule(seed, plant).violation)
      return true;
  return false;
}

TEST(planted_bugs, a_log_without_fencing_is_noticed) {
  EXPECT_TRUE(is_noticed([](world_settings& s) { s.log.no_fencing = true; }));
}

TEST(planted_bugs, a_log_that_commits_offsets_before_outputs_is_noticed) {
  EXPECT_TRUE(is_noticed([](world_settings& s) { s.log.offsets_first = true; }));
}

TEST(planted_bugs, a_producer_that_goes_on_after_its_client_sent_twice_is_noticed) {
  EXPECT_TRUE(is_noticed([](world_settings& s) {
    s.log.markers = true;
    s.log.no_renewal = true;
  }));
}

#ifdef PENSTOCK_FAULT_POINTS

/// Bugs of the tasks, which are compiled in with the fault points.
class planted_task_bugs : public ::testing::Test {
protected:
  ~planted_task_bugs() override { set_faults({}); }
};

TEST_F(planted_task_bugs, accepting_late_answers_is_noticed) {
  set_faults("shard_task.accept_late");
  EXPECT_TRUE(is_noticed({}));
}

TEST_F(planted_task_bugs, not_rewinding_after_an_aborted_commit_is_noticed) {
  set_faults("shard_task.no_rewind");
  EXPECT_TRUE(is_noticed({}));
}

TEST_F(planted_task_bugs, retrying_across_in_doubt_is_noticed) {
  set_faults("shard_task.retry_in_doubt");
  EXPECT_TRUE(is_noticed([](world_settings& s) { s.log.forgets_doubt = true; }));
}

TEST_F(planted_task_bugs, a_source_that_retries_across_in_doubt_is_noticed) {
  set_faults("source_task.retry_in_doubt");
  EXPECT_TRUE(is_noticed([](world_settings& s) { s.log.forgets_doubt = true; }));
}

TEST_F(planted_task_bugs, applying_state_before_the_commit_is_known_is_noticed) {
  set_faults("shard_task.state_before_commit");
  EXPECT_TRUE(is_noticed({}));
}

TEST_F(planted_task_bugs, condemning_without_a_golden_row_is_noticed) {
  set_faults("shard_task.condemn_unchecked");
  EXPECT_TRUE(is_noticed({}));
}

#endif

} // namespace
} // namespace penstock::test
