// SPDX-License-Identifier: Apache-2.0
#include "runtime/source_task.hpp"

#include <gtest/gtest.h>

#include <map>

namespace penstock::runtime {
namespace {

using namespace std::chrono_literals;
using storage::commit_outcome;
using phase = enum source_task::phase;

const time_point t0 = time_point{} + 1h;

source_settings settings(duration interval, std::uint64_t rows = 1000) {
  source_settings out;
  out.source.name = "houses";
  out.source.interval = interval;
  out.session.states = {{"houses", 0}};
  out.file = {"/a.csv", 10, "abc", 0};
  out.rows = rows;
  out.max_batch = 100;
  return out;
}

template <class Action>
const Action* find(const source_task::actions& actions) {
  for (const auto& one : actions)
    if (const auto* found = std::get_if<Action>(&one))
      return found;
  return nullptr;
}

std::string position(std::uint64_t next, const std::string& digest = "abc", const std::string& path = "/a.csv") {
  return source_position{path, 10, digest, next}.encode();
}

/// Lets a source run on virtual time with a log whose commits take `commit_time`; the rows of each commit by its time.
std::vector<std::pair<duration, std::uint64_t>> play(source_task& task, duration length, duration commit_time) {
  std::vector<std::pair<duration, std::uint64_t>> out;
  auto now = t0;
  (void)task.start(now);
  auto actions = task.opened(1, std::nullopt, now);
  while (now - t0 < length) {
    if (const auto* produce = find<source::produce>(actions)) {
      out.emplace_back(now - t0, produce->count);
      now += commit_time;
      actions = task.committed({}, now);
    } else if (const auto* wake = find<source::wake_at>(actions)) {
      now = wake->at;
      actions = task.tick(now);
    } else {
      break;
    }
  }
  return out;
}

TEST(source_position, comes_back_as_it_was_and_refuses_damage) {
  const source_position some{"/data.csv", 123, "d1", 45};
  EXPECT_EQ(*source_position::decode(some.encode()), some);
  const auto good = some.encode();
  for (std::size_t length = 0; length < good.size(); ++length)
    EXPECT_FALSE(source_position::decode(good.substr(0, length)).ok());
}

TEST(source_task, produces_one_row_per_interval) {
  source_task task(settings(2s));
  const auto played = play(task, 9s, 5ms);
  ASSERT_EQ(played.size(), 5u);
  for (std::size_t i = 0; i < played.size(); ++i) {
    EXPECT_EQ(played[i].first, 2s * static_cast<int>(i));
    EXPECT_EQ(played[i].second, 1u);
  }
}

TEST(source_task, keeps_a_rate_with_a_few_rows_per_commit) {
  source_task task(settings(std::chrono::nanoseconds(1'000'000'000 / 450), 100'000));
  const auto played = play(task, 10s, 3ms);
  std::uint64_t rows = 0;
  for (const auto& [at, count] : played) {
    rows += count;
    EXPECT_LE(count, 12u);
  }
  EXPECT_NEAR(static_cast<double>(rows), 4500, 15);
  EXPECT_LE(played.size(), 510u);
}

TEST(source_task, does_not_burst_after_a_pause) {
  source_task task(settings(10ms));
  (void)task.start(t0);
  auto actions = task.opened(1, std::nullopt, t0);
  EXPECT_EQ(find<source::produce>(actions)->count, 1u);
  actions = task.committed({}, t0 + 60s);
  ASSERT_NE(find<source::produce>(actions), nullptr);
  EXPECT_LE(find<source::produce>(actions)->count, 11u);
}

TEST(source_task, goes_as_fast_as_commits_do_without_an_interval) {
  source_task task(settings(0s, 250));
  const auto played = play(task, 10s, 1ms);
  ASSERT_EQ(played.size(), 3u);
  EXPECT_EQ(played[0].second, 100u);
  EXPECT_EQ(played[2].second, 50u);
  EXPECT_EQ(task.phase(), phase::done);
  EXPECT_EQ(task.produced(), 250u);
}

TEST(source_task, stops_at_its_limit_and_stays_done_after_a_restart) {
  auto limited = settings(0s);
  limited.source.limit = 30;
  source_task task(limited);
  EXPECT_EQ(task.target(), 30u);
  (void)play(task, 1s, 1ms);
  EXPECT_EQ(task.phase(), phase::done);
  source_task again(limited);
  (void)again.start(t0);
  EXPECT_EQ(find<source::produce>(again.opened(2, position(30), t0)), nullptr);
  EXPECT_EQ(again.phase(), phase::done);
}

TEST(source_task, goes_on_at_the_committed_row_and_commits_its_position_with_the_rows) {
  source_task task(settings(0s));
  (void)task.start(t0);
  const auto actions = task.opened(2, position(70), t0);
  const auto* produce = find<source::produce>(actions);
  ASSERT_NE(produce, nullptr);
  EXPECT_EQ(produce->first, 70u);
  EXPECT_EQ(produce->state.of, (storage::partition_id{"houses", 0}));
  EXPECT_EQ(source_position::decode(*produce->state.value)->next, 170u);
}

TEST(source_task, refuses_another_file_but_not_another_path) {
  source_task other(settings(0s));
  (void)other.start(t0);
  (void)other.opened(2, position(70, "other"), t0);
  EXPECT_EQ(other.phase(), phase::failed);
  EXPECT_EQ(other.failure()->code(), errc::invalid);
  source_task moved(settings(0s));
  (void)moved.start(t0);
  (void)moved.opened(2, position(70, "abc", "/elsewhere.csv"), t0);
  EXPECT_EQ(moved.phase(), phase::running);
}

TEST(source_task, repeats_an_aborted_commit_after_a_while_and_believes_the_log_after_a_doubt) {
  source_task task(settings(0s));
  (void)task.start(t0);
  (void)task.opened(1, std::nullopt, t0);
  auto actions = task.committed({commit_outcome::aborted, "no"}, t0);
  ASSERT_EQ(find<source::produce>(actions), nullptr);
  const auto at = find<source::wake_at>(actions)->at;
  actions = task.tick(at);
  EXPECT_EQ(find<source::produce>(actions)->first, 0u);
  actions = task.committed({commit_outcome::in_doubt, "?"}, at);
  EXPECT_NE(find<source::close_session>(actions), nullptr);
  EXPECT_EQ(task.phase(), phase::backoff);
  actions = task.tick(find<source::wake_at>(actions)->at);
  EXPECT_NE(find<source::open>(actions), nullptr);
  actions = task.opened(2, position(100), at);
  EXPECT_EQ(find<source::produce>(actions)->first, 100u);
}

TEST(source_task, closes_when_it_is_fenced_and_no_longer_ours) {
  source_task task(settings(0s));
  (void)task.start(t0);
  (void)task.opened(1, std::nullopt, t0);
  EXPECT_NE(find<source::check_assignment>(task.committed({commit_outcome::fenced, "newer"}, t0)), nullptr);
  EXPECT_NE(find<source::finished>(task.assignment_checked(false, t0)), nullptr);
  EXPECT_EQ(task.phase(), phase::closed);
}

TEST(source_task, stops_after_the_commit_under_way) {
  source_task task(settings(0s));
  (void)task.start(t0);
  (void)task.opened(1, std::nullopt, t0);
  EXPECT_TRUE(task.stop(t0).empty());
  EXPECT_NE(find<source::finished>(task.committed({}, t0)), nullptr);
  EXPECT_EQ(task.phase(), phase::closed);
  EXPECT_EQ(task.produced(), 100u);
}

// -- encoder ----------------------------------------------------------------------

std::shared_ptr<const ml::data_set> houses() {
  ml::data_set::column rooms{{"rooms", ml::field_type::int64, false, {}, {}, {}}, {3, 4, 5}, {}, {}};
  ml::data_set::column price{
      {"price", ml::field_type::float64, false, {}, {}, {}}, {1.5, 0.1, 2}, {}, {false, false, true}};
  ml::data_set::column town{{"town", ml::field_type::string, false, {}, {}, {}}, {}, {"a\"b", "x\ny", "\x01"}, {}};
  return std::make_shared<ml::data_set>(ml::data_set::of({rooms, price, town}));
}

source_spec spec() {
  source_spec out;
  out.name = "houses";
  out.topic = "in";
  out.key = "id";
  out.record = {{"id", "$index"}, {"Rooms", "rooms"}, {"Price", "price"}, {"Town", "town"}};
  return out;
}

TEST(source_encoder, writes_json_in_the_declared_order) {
  const auto encoder = source_encoder::make(spec(), 1, houses());
  ASSERT_TRUE(encoder.ok());
  const auto made = encoder->encode(0, 3, 77);
  ASSERT_EQ(made.size(), 1u);
  const auto& records = made[0].records;
  EXPECT_EQ(records[0].value, R"({"id":0,"Rooms":3,"Price":1.5,"Town":"a\"b"})");
  EXPECT_EQ(records[1].value, R"({"id":1,"Rooms":4,"Price":0.1,"Town":"x\ny"})");
  EXPECT_EQ(records[2].value, R"({"id":2,"Rooms":5,"Price":null,"Town":"\u0001"})");
  EXPECT_EQ(records[2].key, "2");
  EXPECT_EQ(records[2].timestamp, 77);
}

TEST(source_encoder, sends_a_key_where_the_default_partitioner_does) {
  const auto encoder = source_encoder::make(spec(), 4, houses());
  ASSERT_TRUE(encoder.ok());
  std::map<std::string, std::int32_t> seen;
  for (const auto& output : encoder->encode(0, 3, 0))
    for (std::size_t i = 0; i < output.records.size(); ++i)
      seen[std::string(output.records[i].key)] = output.to.partition;
  ASSERT_EQ(seen.size(), 3u);
  for (const auto& [key, partition] : seen)
    EXPECT_EQ(partition, storage::partition_of(key, 4));
}

TEST(source_encoder, names_a_column_that_does_not_exist) {
  auto wrong = spec();
  wrong.record[1].second = "romos";
  const auto made = source_encoder::make(wrong, 1, houses());
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code(), errc::configuration);
  EXPECT_NE(made.error().text().find("did you mean rooms"), std::string::npos) << made.error().text();
  auto keyless = spec();
  keyless.key = "ident";
  EXPECT_EQ(source_encoder::make(keyless, 1, houses()).error().code(), errc::configuration);
}

} // namespace
} // namespace penstock::runtime
