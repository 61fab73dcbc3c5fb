// SPDX-License-Identifier: Apache-2.0
#include "tests/support/simulated_schedule.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <string>

namespace penstock::test {
namespace {

std::optional<std::uint64_t> number_from(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? std::nullopt : std::optional<std::uint64_t>(std::stoull(text));
}

std::uint64_t schedules() {
  const auto wanted = number_from("PENSTOCK_SIM_SEEDS").value_or(10'000);
  return number_from("PENSTOCK_LONG").value_or(0) != 0 ? wanted * 100 : wanted;
}

/// Runs the one schedule that is asked for, or all of them up to the first that breaks an invariant.
TEST(schedules, keep_every_invariant) {
  if (const auto only = number_from("PENSTOCK_SIM_SEED")) {
    const auto report = run_schedule(*only);
    EXPECT_FALSE(report.violation) << *report.violation;
    return;
  }
  schedule_report all;
  for (std::uint64_t seed = 1; seed <= schedules(); ++seed) {
    const auto report = run_schedule(seed);
    ASSERT_FALSE(report.violation) << *report.violation << "\nreplay: PENSTOCK_SIM_SEED=" << seed
                                   << " simulation --gtest_filter=schedules.keep_every_invariant";
    all.steps += report.steps;
    all.commits += report.commits;
    all.in_doubt += report.in_doubt;
    all.aborted += report.aborted;
    all.fenced += report.fenced;
    all.records += report.records;
    all.dead_letters += report.dead_letters;
    all.node_deaths += report.node_deaths;
    all.moves += report.moves;
  }
  std::cout << schedules() << " schedules: " << all.steps << " steps, " << all.records << " records, "
            << all.dead_letters << " dead letters, " << all.commits << " commits (" << all.aborted << " aborted, "
            << all.fenced << " fenced, " << all.in_doubt << " in doubt), " << all.node_deaths << " deaths, "
            << all.moves << " moves\n";
}

} // namespace
} // namespace penstock::test
