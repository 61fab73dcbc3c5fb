// SPDX-License-Identifier: Apache-2.0
#include "runtime/control_tables.hpp"

#include <gtest/gtest.h>

namespace penstock::runtime {
namespace {

model_registered registered(std::uint64_t version, const std::string& digest) {
  return {"house-prices", version, digest, "run-" + digest, {{"rmse", 0.5}}, 100};
}

run_started started(const std::string& run, std::uint32_t attempt = 1) {
  return {run, "app/t", "inputs", attempt, 100};
}
run_completed completed(const std::string& run, const std::string& digest = "d") {
  return {run, "app/t", "inputs", digest, {{"rmse", 0.5}}, 200};
}
run_failed failed(const std::string& run, std::uint32_t attempt = 1) {
  return {run, "app/t", attempt, false, "boom", 150};
}

// -- registry
// -----------------------------------------------------------------------------------------------------------

TEST(registry_table, finds_a_version_by_alias_by_latest_and_by_number) {
  registry_table table;
  table.apply(0, registered(1, "aa"));
  table.apply(1, registered(2, "bb"));
  table.apply(2, alias_set{"house-prices", "champion", 1, 0});
  EXPECT_EQ(table.find("house-prices", "champion")->digest, "aa");
  EXPECT_EQ(table.find("house-prices", "latest")->digest, "bb");
  EXPECT_EQ(table.find("house-prices", "2")->digest, "bb");
  for (const auto* unknown : {"3", "challenger", "", "2x", "-1", "99999999999999999999"})
    EXPECT_EQ(table.find("house-prices", unknown), nullptr) << unknown;
  EXPECT_EQ(table.find("other", "latest"), nullptr);
}

TEST(registry_table, moves_an_alias_and_leaves_one_alone_that_would_point_nowhere) {
  registry_table table;
  table.apply(0, registered(1, "aa"));
  table.apply(1, registered(2, "bb"));
  table.apply(2, alias_set{"house-prices", "champion", 1, 0});
  table.apply(3, alias_set{"house-prices", "champion", 2, 0});
  EXPECT_EQ(table.find("house-prices", "champion")->number, 2U);
  table.apply(4, alias_set{"house-prices", "champion", 7, 0});
  table.apply(5, alias_set{"other", "champion", 1, 0});
  EXPECT_EQ(table.find("house-prices", "champion")->number, 2U);
  EXPECT_EQ(table.find("other"), nullptr);
}

TEST(registry_table, never_changes_a_version_that_exists) {
  registry_table table;
  table.apply(0, registered(1, "aa"));
  table.apply(1, registered(1, "bb"));
  ASSERT_EQ(table.find("house-prices")->versions.size(), 1U);
  EXPECT_EQ(table.find("house-prices", "1")->digest, "aa");
}

TEST(registry_table, counts_versions_from_one_above_the_highest) {
  registry_table table;
  EXPECT_EQ(table.next_version("house-prices"), 1U);
  table.apply(0, registered(7, "aa"));
  table.apply(1, registered(3, "bb"));
  EXPECT_EQ(table.next_version("house-prices"), 8U);
  EXPECT_EQ(table.find("house-prices", "latest")->number, 7U);
}

TEST(registry_table, never_lets_a_streams_generation_fall) {
  registry_table table;
  EXPECT_FALSE(table.serving_of("app/s"));
  table.apply(0, generation_activated{"app/s", 2, "house-prices", 5, 0});
  table.apply(1, generation_activated{"app/s", 1, "house-prices", 4, 0});
  table.apply(2, generation_activated{"app/s", 2, "house-prices", 4, 0});
  ASSERT_TRUE(table.serving_of("app/s"));
  EXPECT_EQ(table.serving_of("app/s")->generation, 2U);
  EXPECT_EQ(table.serving_of("app/s")->version, 5U);
}

TEST(registry_table, applies_each_offset_once) {
  registry_table table;
  EXPECT_EQ(table.applied(), -1);
  table.apply(4, registered(1, "aa"));
  table.apply(4, registered(2, "bb"));
  table.apply(3, registered(3, "cc"));
  EXPECT_EQ(table.find("house-prices")->versions.size(), 1U);
  EXPECT_EQ(table.applied(), 4);
  table.apply(5, event_noted{});
  EXPECT_EQ(table.applied(), 5) << "commands that are not its own count as read";
}

// -- runs
// ---------------------------------------------------------------------------------------------------------------

TEST(runs_table, knows_a_run_from_its_start_to_its_end) {
  runs_table table;
  table.apply(0, started("r"));
  EXPECT_EQ(table.runs().at("r").state, runs_table::state::running);
  EXPECT_EQ(table.completed("app/t", "inputs"), nullptr) << "an interrupted run is repeated";
  table.apply(1, completed("r"));
  const auto* done = table.completed("app/t", "inputs");
  ASSERT_NE(done, nullptr);
  EXPECT_EQ(done->state, runs_table::state::completed);
  EXPECT_EQ(done->started, 100);
  EXPECT_EQ(done->ended, 200);
  EXPECT_EQ(done->digest, "d");
  EXPECT_EQ(done->metrics.at("rmse"), 0.5);
}

TEST(runs_table, finds_a_completed_run_only_for_the_same_training_and_inputs) {
  runs_table table;
  table.apply(0, completed("r"));
  EXPECT_EQ(table.completed("app/other", "inputs"), nullptr);
  EXPECT_EQ(table.completed("app/t", "others"), nullptr);
}

TEST(runs_table, gives_the_last_of_several_completed_runs) {
  runs_table table;
  table.apply(0, completed("z", "first"));
  table.apply(1, completed("a", "second"));
  EXPECT_EQ(table.completed("app/t", "inputs")->digest, "second");
}

TEST(runs_table, runs_again_after_a_failed_attempt_and_forgets_its_cause) {
  runs_table table;
  table.apply(0, started("r", 1));
  table.apply(1, failed("r", 1));
  EXPECT_EQ(table.runs().at("r").state, runs_table::state::failed);
  EXPECT_EQ(table.runs().at("r").cause, "boom");
  table.apply(2, started("r", 2));
  EXPECT_EQ(table.runs().at("r").state, runs_table::state::running);
  EXPECT_EQ(table.runs().at("r").attempt, 2U);
  EXPECT_EQ(table.runs().at("r").cause, "");
}

TEST(runs_table, leaves_a_completed_run_alone_whatever_follows_under_its_id) {
  runs_table table;
  table.apply(0, completed("r"));
  table.apply(1, failed("r"));
  table.apply(2, started("r", 2));
  table.apply(3, completed("r", "other"));
  ASSERT_NE(table.completed("app/t", "inputs"), nullptr);
  EXPECT_EQ(table.completed("app/t", "inputs")->digest, "d");
}

TEST(runs_table, applies_each_offset_once) {
  runs_table table;
  table.apply(1, started("r"));
  table.apply(1, failed("r"));
  table.apply(0, failed("r"));
  EXPECT_EQ(table.runs().at("r").state, runs_table::state::running);
}

// -- events
// -------------------------------------------------------------------------------------------------------------

TEST(events_table, keeps_the_last_thousand_events_newest_last) {
  events_table table;
  for (std::int64_t i = 0; i < 1500; ++i)
    table.apply(i, event_noted{"e", "s", std::to_string(i), i});
  ASSERT_EQ(table.events().size(), events_table::kept);
  EXPECT_EQ(table.events().front().text, "500");
  EXPECT_EQ(table.events().back().text, "1499");
  table.apply(1499, event_noted{});
  EXPECT_EQ(table.events().back().text, "1499") << "an offset counts once";
}

} // namespace
} // namespace penstock::runtime
