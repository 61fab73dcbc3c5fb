// SPDX-License-Identifier: Apache-2.0
#include "runtime/shard_state.hpp"
#include "runtime/shard_task.hpp"

#include <gtest/gtest.h>

namespace penstock::runtime {
namespace {

using namespace std::chrono_literals;
using storage::commit_outcome;
using phase = enum shard_task::phase;

const time_point t0 = time_point{} + 1h;
const storage::partition_id in0{"in", 0};

shard_settings settings() {
  shard_settings out;
  out.stream.name = "stream";
  out.stream.output_topic = "out";
  out.stream.dead_letters = "dead";
  out.stream.commit_interval = 100ms;
  out.stream.commit_records = 10;
  out.session.inputs = {in0};
  out.session.states = {in0};
  out.first_offsets = {0};
  out.max_record_bytes = 1 << 20;
  return out;
}

storage::record_batch batch(std::int64_t first, std::int64_t count) {
  storage::record_batch out;
  for (std::int64_t i = 0; i < count; ++i)
    out.add("key", "value", {}, 0, first + i);
  return out;
}

/// A task with the actions that it asked for so far and that nobody took yet.
class bench {
public:
  explicit bench(shard_settings s = settings(), std::vector<suspect> suspects = {})
      : task(std::move(s), std::move(suspects)) {}

  /// Takes the first waiting action of a kind.
  template <class Action>
  std::optional<Action> take() {
    for (auto one = waiting.begin(); one != waiting.end(); ++one) {
      if (auto* found = std::get_if<Action>(&*one)) {
        auto out = std::move(*found);
        waiting.erase(one);
        return out;
      }
    }
    return std::nullopt;
  }
  void add(shard_task::actions actions) { std::move(actions.begin(), actions.end(), std::back_inserter(waiting)); }

  void open(std::optional<std::int64_t> offset = {}, std::optional<std::string> state = {}, std::uint64_t epoch = 1) {
    add(task.opened(epoch, {{in0, offset}}, {std::move(state)}, now));
  }
  void begin(std::uint64_t generation = 1) {
    add(task.start(now, 1'000'000));
    open();
    add(task.model_assigned({"model", 3, generation, "", nullptr}, now));
  }
  void fetch(std::int64_t first, std::int64_t count, bool at_end = true) {
    const auto poll = take<shard::poll>();
    ASSERT_TRUE(poll);
    std::vector<storage::fetched> got(1);
    got[0].from = in0;
    got[0].records = batch(first, count);
    got[0].next = first + count;
    got[0].at_end = at_end;
    add(task.fetched(poll->round, std::move(got), now));
  }
  static scored_range made_of(const shard::score& what) {
    scored_range out;
    out.outputs.push_back({{"out", 0}, {}});
    for (std::uint32_t i = 0; i < what.range.count; ++i) {
      out.outputs[0].records.add("key", "output", {}, 0);
      out.evaluations.push_back({1, 2});
    }
    out.scored = what.range.count;
    return out;
  }
  void score() {
    const auto what = take<shard::score>();
    ASSERT_TRUE(what);
    add(task.scored(what->epoch, what->batch, made_of(*what), now));
  }
  void fail_score() {
    const auto what = take<shard::score>();
    ASSERT_TRUE(what);
    add(task.score_failed(what->epoch, what->batch, "threw", now));
  }
  void end_commit(commit_outcome outcome) { add(task.committed({outcome, "reason"}, now)); }

  shard_task task;
  shard_task::actions waiting;
  time_point now = t0;
};

TEST(shard_task, commits_outputs_state_and_offsets_together_once_the_input_is_drained) {
  bench b;
  b.begin();
  EXPECT_EQ(b.take<shard::assign>()->positions, (std::vector<storage::position>{{in0, 0}}));
  b.fetch(0, 3);
  b.score();
  const auto commit = b.take<shard::commit>();
  ASSERT_TRUE(commit);
  ASSERT_EQ(commit->request.outputs.size(), 1u);
  EXPECT_EQ(commit->request.outputs[0].records.size(), 3u);
  EXPECT_EQ(commit->request.offsets, (std::vector<storage::position>{{in0, 3}}));
  const auto state = shard_state::decode(*commit->request.state.at(0).value);
  ASSERT_TRUE(state.ok());
  EXPECT_EQ(state->metrics.records, 3u);
  EXPECT_EQ(state->next, 3);
  EXPECT_EQ(b.task.status().metrics[0].records, 0u) << "not known to be committed yet";
  b.end_commit(commit_outcome::committed);
  EXPECT_EQ(b.task.status().metrics[0].records, 3u);
  EXPECT_EQ(b.task.status().committed[0].next, 3);
  EXPECT_TRUE(b.task.drained());
}

TEST(shard_task, commits_after_the_interval_when_more_is_to_come) {
  bench b;
  b.begin();
  b.fetch(0, 3, false);
  b.score();
  EXPECT_FALSE(b.take<shard::commit>());
  const auto wake = b.take<shard::wake_at>();
  ASSERT_TRUE(wake);
  EXPECT_EQ(wake->at, t0 + 100ms);
  b.now = wake->at;
  b.add(b.task.tick(b.now));
  EXPECT_TRUE(b.take<shard::commit>());
}

TEST(shard_task, scores_on_while_a_commit_is_under_way_and_keeps_the_gap) {
  bench b;
  b.begin();
  b.fetch(0, 10, false);
  b.score();
  ASSERT_TRUE(b.take<shard::commit>());
  b.fetch(10, 10, true);
  b.score();
  EXPECT_FALSE(b.take<shard::commit>()) << "one at a time";
  b.end_commit(commit_outcome::committed);
  EXPECT_FALSE(b.take<shard::commit>()) << "sooner than the gap";
  b.now += 2ms;
  b.add(b.task.tick(b.now));
  EXPECT_EQ(b.take<shard::commit>()->request.offsets[0].next, 20);
}

TEST(shard_task, reads_no_further_than_its_credit) {
  auto s = settings();
  s.credits = 4;
  bench b(s);
  b.begin();
  (void)b.take<shard::assign>();
  b.fetch(0, 4, false);
  EXPECT_FALSE(b.take<shard::poll>());
  b.score();
  EXPECT_TRUE(b.take<shard::commit>()) << "with the credit used up there is nothing to wait for";
  b.end_commit(commit_outcome::committed);
  EXPECT_EQ(b.take<shard::poll>()->max_records, 4u);
}

TEST(shard_task, drops_late_and_repeated_answers) {
  bench b;
  b.begin();
  b.fetch(0, 3, false);
  const auto what = *b.take<shard::score>();
  b.add(b.task.scored(what.epoch + 1, what.batch, bench::made_of(what), b.now));
  b.add(b.task.scored(what.epoch, what.batch + 1, bench::made_of(what), b.now));
  b.add(b.task.fetched(1, {}, b.now));
  b.add(b.task.scored(what.epoch, what.batch, bench::made_of(what), b.now));
  b.add(b.task.scored(what.epoch, what.batch, bench::made_of(what), b.now));
  b.now += 100ms;
  b.add(b.task.tick(b.now));
  EXPECT_EQ(b.take<shard::commit>()->request.outputs[0].records.size(), 3u);
}

TEST(shard_task, goes_back_to_the_committed_offsets_after_an_aborted_commit) {
  bench b;
  b.begin();
  (void)b.take<shard::assign>();
  b.fetch(0, 3);
  b.score();
  (void)b.take<shard::commit>();
  b.end_commit(commit_outcome::aborted);
  EXPECT_FALSE(b.take<shard::assign>()) << "not at once";
  b.now += 50ms;
  b.add(b.task.tick(b.now));
  EXPECT_EQ(b.take<shard::assign>()->positions[0].next, 0);
  EXPECT_EQ(b.task.status().aborted, 1u);
  (void)b.take<shard::poll>(); // the one that the assign made void
  b.fetch(0, 3);
  b.score();
  EXPECT_EQ(shard_state::decode(*b.take<shard::commit>()->request.state[0].value)->metrics.records, 3u);
}

TEST(shard_task, opens_a_new_session_after_a_doubt_and_believes_it) {
  bench b;
  b.begin();
  (void)b.take<shard::assign>();
  (void)b.take<shard::open>();
  b.fetch(0, 3);
  b.score();
  const auto state = b.take<shard::commit>()->request.state[0].value;
  b.end_commit(commit_outcome::in_doubt);
  EXPECT_TRUE(b.take<shard::close_session>());
  EXPECT_EQ(b.task.phase(), phase::backoff);
  b.now += 50ms;
  b.add(b.task.tick(b.now));
  ASSERT_TRUE(b.take<shard::open>());
  b.open(3, state, 2);
  EXPECT_EQ(b.take<shard::assign>()->positions[0].next, 3);
  EXPECT_EQ(b.task.status().metrics[0].records, 3u);
  EXPECT_EQ(b.task.phase(), phase::running);
}

TEST(shard_task, asks_who_owns_it_when_it_is_fenced) {
  for (const bool ours : {true, false}) {
    bench b;
    b.begin();
    b.fetch(0, 3);
    b.score();
    b.end_commit(commit_outcome::fenced);
    EXPECT_TRUE(b.take<shard::close_session>());
    EXPECT_TRUE(b.take<shard::check_assignment>());
    b.add(b.task.assignment_checked(ours, b.now));
    EXPECT_EQ(b.task.phase(), ours ? phase::backoff : phase::closed);
    EXPECT_EQ(b.take<shard::finished>().has_value(), !ours);
  }
}

TEST(shard_task, tries_an_opening_again_a_bounded_number_of_times) {
  bench b;
  b.add(b.task.start(b.now, 0));
  int opened = 0;
  while (b.task.phase() != phase::failed) {
    ASSERT_LT(++opened, 20);
    b.add(b.task.open_failed(fail(errc::timeout, "no answer"), b.now));
    b.now += 2s;
    b.add(b.task.tick(b.now));
  }
  EXPECT_EQ(opened, 10);
  bench final;
  final.add(final.task.start(final.now, 0));
  final.add(final.task.open_failed(fail(errc::unavailable, "disk full"), final.now));
  EXPECT_EQ(final.task.phase(), phase::failed);
}

TEST(shard_task, waits_for_the_generation_in_its_state) {
  shard_state state;
  state.generation = 5;
  state.next = 7;
  bench b;
  b.add(b.task.start(b.now, 0));
  b.open(7, state.encode());
  b.add(b.task.model_assigned({"model", 1, 4, "", nullptr}, b.now));
  EXPECT_EQ(b.task.phase(), phase::waiting);
  b.add(b.task.model_assigned({"model", 2, 5, "", nullptr}, b.now));
  EXPECT_EQ(b.task.phase(), phase::running);
  b.fetch(7, 1);
  EXPECT_EQ(b.take<shard::score>()->generation, 5u);
}

TEST(shard_task, refuses_state_that_does_not_fit_its_offset) {
  shard_state state;
  state.next = 7;
  for (const auto& [offset, kept] : std::vector<std::pair<std::optional<std::int64_t>, std::optional<std::string>>>{
           {6, state.encode()}, {7, std::nullopt}}) {
    bench b;
    b.add(b.task.start(b.now, 0));
    b.open(offset, kept);
    EXPECT_EQ(b.task.phase(), phase::failed);
    EXPECT_EQ(b.task.failure()->code(), errc::configuration);
  }
  bench recovered;
  recovered.add(recovered.task.start(recovered.now, 0));
  recovered.open({}, state.encode());
  recovered.add(recovered.task.model_assigned({"model", 1, 1, "", nullptr}, recovered.now));
  EXPECT_EQ(recovered.take<shard::assign>()->positions[0].next, 7);
}

TEST(shard_task, stops_at_a_gap_or_skips_it_as_declared) {
  for (const bool skip : {false, true}) {
    auto s = settings();
    s.stream.on_gap = skip ? on_gap::skip : on_gap::fail;
    shard_state state;
    state.next = 5;
    bench b(s);
    b.add(b.task.start(b.now, 0));
    b.open(5, state.encode());
    b.add(b.task.model_assigned({"model", 1, 1, "", nullptr}, b.now));
    (void)b.take<shard::assign>();
    std::vector<storage::fetched> got(1);
    got[0] = {in0, {}, 5, false, 9};
    b.add(b.task.fetched(b.take<shard::poll>()->round, std::move(got), b.now));
    if (!skip) {
      EXPECT_EQ(b.task.phase(), phase::failed);
      EXPECT_EQ(b.task.failure()->code(), errc::configuration);
      EXPECT_NE(b.task.failure()->text().find("5 to 8"), std::string::npos) << b.task.failure()->text();
      continue;
    }
    EXPECT_EQ(b.take<shard::assign>()->positions[0].next, 9);
    b.fetch(9, 1);
    b.score();
    ASSERT_TRUE(b.take<shard::commit>());
    b.end_commit(commit_outcome::committed);
    EXPECT_EQ(b.task.status().gaps_skipped, 4u);
  }
}

TEST(shard_task, makes_a_dead_letter_of_a_record_that_fails_while_a_golden_row_scores) {
  bench b;
  b.begin();
  b.fetch(0, 1);
  b.fail_score();
  b.fail_score();
  const auto golden = b.take<shard::check_golden>();
  ASSERT_TRUE(golden);
  b.add(b.task.golden_checked(golden->epoch, golden->batch, true, b.now));
  const auto commit = b.take<shard::commit>();
  ASSERT_TRUE(commit);
  ASSERT_EQ(commit->request.outputs.size(), 1u);
  EXPECT_EQ(commit->request.outputs[0].to, (storage::partition_id{"dead", 0}));
  const auto letter = commit->request.outputs[0].records[0];
  EXPECT_EQ(letter.value, "value");
  EXPECT_EQ(storage::find_header(letter.headers, "cause"), "threw");
  EXPECT_EQ(storage::find_header(letter.headers, "attempts"), "2");
  EXPECT_EQ(storage::find_header(letter.headers, "model"), "model");
  EXPECT_EQ(storage::find_header(letter.headers, "version"), "3");
  EXPECT_EQ(shard_state::decode(*commit->request.state[0].value)->metrics.dead_letters, 1u);
  EXPECT_EQ(b.task.status().condemned, 1u);
}

TEST(shard_task, restarts_a_predictor_that_is_sick_and_fails_after_three) {
  bench b;
  b.begin();
  b.fetch(0, 1);
  b.fail_score();
  b.fail_score();
  const auto golden = b.take<shard::check_golden>();
  b.add(b.task.golden_checked(golden->epoch, golden->batch, false, b.now));
  for (int i = 0; i < 3; ++i) {
    const auto restart = b.take<shard::restart_predictor>();
    ASSERT_TRUE(restart);
    b.add(b.task.golden_checked(restart->epoch, restart->batch, false, b.now));
  }
  EXPECT_EQ(b.task.phase(), phase::failed);
  EXPECT_EQ(b.task.status().condemned, 0u);
}

TEST(shard_task, waits_for_a_restart_that_an_aborted_commit_came_in_between) {
  bench b;
  b.begin();
  b.fetch(0, 2, false);
  b.score();
  b.fetch(2, 1, false);
  b.fail_score();
  b.fail_score();
  const auto golden = b.take<shard::check_golden>();
  b.add(b.task.golden_checked(golden->epoch, golden->batch, false, b.now));
  const auto restart = b.take<shard::restart_predictor>();
  b.now += 100ms;
  b.add(b.task.tick(b.now));
  b.end_commit(commit_outcome::aborted);
  b.now += 50ms;
  b.add(b.task.tick(b.now));
  (void)b.take<shard::poll>();
  b.fetch(0, 2);
  EXPECT_FALSE(b.take<shard::score>());
  b.add(b.task.golden_checked(restart->epoch, restart->batch, true, b.now));
  EXPECT_TRUE(b.take<shard::score>());
}

TEST(shard_task, condemns_a_suspect_that_died_alone_without_scoring_it) {
  bench b(settings(), {{in0, 1, 1, true, "signal 11 (SIGSEGV)"}});
  b.begin();
  b.fetch(0, 3);
  EXPECT_EQ(b.take<shard::score>()->range, (record_range{0, 1}));
  EXPECT_EQ(b.task.status().condemned, 0u);
}

TEST(shard_task, suspends_the_stream_after_too_many_verdicts_and_keeps_them) {
  auto s = settings();
  s.verdicts_per_minute = 1;
  bench b(s, {{in0, 0, 0, true, "watchdog"}, {in0, 1, 1, true, "watchdog"}});
  b.begin();
  b.fetch(0, 3);
  const auto first = b.take<shard::commit>();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->request.offsets[0].next, 1) << "a verdict is committed before anything else is begun";
  b.end_commit(commit_outcome::committed);
  b.now += 2ms;
  b.add(b.task.tick(b.now));
  const auto second = b.take<shard::commit>();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->request.offsets[0].next, 2);
  EXPECT_EQ(shard_state::decode(*second->request.state[0].value)->verdicts.size(), 2u);
  EXPECT_FALSE(b.take<shard::score>());
  b.end_commit(commit_outcome::committed);
  EXPECT_EQ(b.task.phase(), phase::suspended);
  EXPECT_TRUE(b.task.failure());
  b.add(b.task.stop(b.now));
  EXPECT_EQ(b.task.phase(), phase::closed);
}

TEST(shard_task, finishes_what_is_in_work_when_it_is_stopped) {
  auto s = settings();
  s.max_batch_records = 2;
  bench b(s);
  b.begin();
  b.fetch(0, 4);
  b.add(b.task.stop(b.now));
  EXPECT_EQ(b.task.phase(), phase::draining);
  b.score();
  EXPECT_FALSE(b.take<shard::score>()) << "nothing new is begun";
  EXPECT_EQ(b.take<shard::commit>()->request.offsets[0].next, 2);
  b.end_commit(commit_outcome::committed);
  EXPECT_TRUE(b.take<shard::close_session>());
  EXPECT_TRUE(b.take<shard::finished>());
  EXPECT_EQ(b.task.phase(), phase::closed);
}

} // namespace
} // namespace penstock::runtime
