// SPDX-License-Identifier: Apache-2.0
#include "tools/live_view.hpp"
#include "tools/run_summary.hpp"
#include "tools/run_watch.hpp"
#include "tools/training_view.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

using namespace penstock;
using namespace penstock::tools;
using namespace std::chrono_literals;
using runtime::training_step;

namespace {

const time_point start{};

actors::training_info training_at(training_step step, double share, bool done = false, const std::string& text = "") {
  actors::training_info out;
  out.training = "boxes/size";
  out.state = "running";
  out.progress = {step, share, text, done};
  if (done)
    out.step_texts[static_cast<int>(step)] = text;
  return out;
}

actors::training_info completed() {
  auto out = training_at(training_step::save, 1, true);
  out.state = "completed";
  out.version = 2;
  out.digest = "0123456789abcdef";
  out.metrics = {{"rmse", 0.5}};
  return out;
}

/// Two shards whose partitions lie crosswise.
actors::node_info node() {
  actors::node_info out;
  out.application = "boxes";
  out.ready = true;
  actors::shard_info even, odd;
  even.name = "boxes/shard/0";
  odd.name = "boxes/shard/1";
  even.stream = odd.stream = "boxes/packing";
  even.phase = odd.phase = "running";
  even.model_version = odd.model_version = 1;
  const auto metrics = [](std::uint64_t records, double sum) {
    return runtime::running_metrics{.records = records,
                                    .dead_letters = 1,
                                    .evaluated = records,
                                    .sum_absolute_error = sum,
                                    .sum_squared_error = sum};
  };
  even.partitions = {{{"in", 0}, 10, 12, metrics(9, 1e16)}, {{"in", 2}, 5, 5, metrics(4, 3)}};
  odd.partitions = {{{"in", 1}, 3, 4, metrics(2, 1)}};
  out.shards = {odd, even};
  actors::source_info filler;
  filler.name = "filler";
  filler.phase = "running";
  filler.produced = 15;
  filler.target = 30;
  out.sources = {filler};
  out.commit_p50 = 1500us;
  out.commit_p99 = 12ms;
  return out;
}

runtime::application_spec application() {
  runtime::application_spec out;
  out.name = "boxes";
  out.file = "/x/boxes.yaml";
  out.stop_when.records = 18;
  runtime::stream_spec stream;
  stream.name = "packing";
  stream.output_topic = "packed";
  out.streams = {stream};
  runtime::training_spec training;
  training.name = "size";
  training.model = "box-size";
  out.trainings = {training};
  return out;
}

// -- trainings ------------------------------------------------------------------

TEST(training_view, tells_each_step_once_and_in_order_also_those_it_never_saw) {
  training_view view;
  std::vector<std::string> lines;
  const auto look = [&](const actors::training_info& what, duration at) {
    for (auto& line : view.news({what}, start + at))
      lines.push_back(line);
  };
  look(training_at(training_step::open, 0), 0ms);
  look(training_at(training_step::read, 1, true, "20 rows"), 1ms);
  auto training = training_at(training_step::train, 0.5);
  training.step_texts = {{2, "20 rows"}, {4, "16 to train"}};
  look(training, 2ms);
  look(training, 3ms);
  look(completed(), 4ms);
  look(completed(), 5ms);
  ASSERT_EQ(lines.size(), 9U) << testing::PrintToString(lines);
  EXPECT_EQ(lines[0], "training boxes/size");
  for (int step = 1; step <= 7; ++step)
    EXPECT_TRUE(lines[static_cast<std::size_t>(step)].starts_with("STEP " + std::to_string(step) + "/7 "));
  EXPECT_EQ(lines[2], "STEP 2/7 read      20 rows");
  EXPECT_EQ(lines[3], "STEP 3/7 check     done");
  EXPECT_EQ(lines[4], "STEP 4/7 split     16 to train");
  EXPECT_EQ(lines[8], "training boxes/size completed: version 2, package 0123456789ab, rmse 0.5000");
}

TEST(training_view, gives_a_sign_of_life_of_a_long_step_every_thirty_seconds) {
  training_view view;
  (void)view.news({training_at(training_step::train, 0)}, start);
  int signs = 0;
  for (int second = 1; second <= 120; ++second)
    signs +=
        static_cast<int>(view.news({training_at(training_step::train, second / 200.0)}, start + 1s * second).size());
  EXPECT_EQ(signs, 4); // after 2 s, then 32, 62, 92 s
}

TEST(training_view, tells_time_left_from_the_share_that_is_done) {
  training_view view;
  (void)view.news({training_at(training_step::train, 0)}, start);
  const auto line = view.in_work({training_at(training_step::train, 0.25)}, start + 5s);
  ASSERT_EQ(line.size(), 1U);
  EXPECT_EQ(line[0], "STEP 5/7 train     [######------------------]  25 %  15s left");
}

TEST(training_view, says_when_a_training_was_reused_instead_of_steps) {
  training_view view;
  auto reused = completed();
  reused.reused = true;
  const auto lines = view.news({reused}, start);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find("not trained again"), std::string::npos);
}

TEST(training_view, tells_the_steps_again_for_a_new_attempt) {
  training_view view;
  (void)view.news({training_at(training_step::train, 0)}, start);
  auto failed = training_at(training_step::train, 0);
  failed.state = "retrying";
  failed.cause = "no memory";
  const auto why = view.news({failed}, start);
  ASSERT_EQ(why.size(), 1U);
  EXPECT_NE(why[0].find("no memory"), std::string::npos);
  auto again = training_at(training_step::check, 0);
  again.attempt = 2;
  EXPECT_EQ(view.news({again}, start).size(), 3U); // attempt 2, open, read
}

TEST(training_view, draws_a_bar_for_every_share) {
  EXPECT_EQ(bar(0, 4), "[----]");
  EXPECT_EQ(bar(0.5, 4), "[##--]");
  EXPECT_EQ(bar(1, 4), "[####]");
  EXPECT_EQ(bar(7, 4), "[####]");
  EXPECT_EQ(bar(-1, 4), "[----]");
  EXPECT_EQ(bar(std::nan(""), 4), "[----]");
}

// -- figures --------------------------------------------------------------------

TEST(run_figures, sums_over_partitions_in_their_order_whatever_shard_holds_them) {
  const auto figures = run_figures::of(node());
  runtime::running_metrics wanted;
  for (const double sum : {1e16, 1.0, 3.0})
    wanted.merge(
        {.records = 5, .dead_letters = 1, .evaluated = 5, .sum_absolute_error = sum, .sum_squared_error = sum});
  EXPECT_EQ(figures.metrics, wanted);
  EXPECT_EQ(figures.lag, 3U);
  EXPECT_EQ(figures.processed(), 18U);
}

TEST(live_view, names_every_figure_in_one_plain_line) {
  auto figures = run_figures::of(node());
  figures.elapsed = 3725s;
  figures.rate = 451.6;
  EXPECT_EQ(plain_line(figures),
            "01:02:05 rate 452/s, committed 18, lag 3, dead letters 3, restarts 0, MAE 666666666666666.8750, "
            "RMSE 25819888.9747, commit p50 1.5ms p99 12ms, source filler 15/30");
}

TEST(live_view, fits_every_line_into_the_terminal) {
  auto info = node();
  info.shards[0].failure = std::string(200, 'x') + "\x1b[2J";
  for (const std::size_t width : {20U, 40U, 80U})
    for (const auto& line : view_lines("größer", run_figures::of(info), width)) {
      EXPECT_LE(line.size(), width + 4); // two-byte letters
      EXPECT_EQ(line.find('\x1b'), std::string::npos);
    }
}

TEST(live_view, draws_no_more_lines_than_the_terminal_has) {
  const std::vector<std::string> lines(100, "x");
  const auto drawn = redraw(lines, 24);
  EXPECT_EQ(std::ranges::count(drawn, 'x'), 22);
  EXPECT_TRUE(drawn.ends_with("\x1b[23A"));
}

// -- the end of a run -------------------------------------------------------------

TEST(run_watch, fires_when_outputs_and_dead_letters_reach_the_number) {
  const auto spec = application();
  run_watch watch(spec, start);
  auto info = node();
  info.shards[1].partitions[0].metrics.records = 8;
  (void)watch.look(info, start + 1s);
  EXPECT_FALSE(watch.fired(start + 1s));
  (void)watch.look(node(), start + 2s);
  const auto fired = watch.fired(start + 2s);
  ASSERT_TRUE(fired);
  EXPECT_EQ(fired->what, runtime::stop_reason::kind::records);
}

TEST(run_watch, does_not_count_the_time_before_there_is_a_model_as_idle) {
  auto spec = application();
  spec.stop_when = {.records = {}, .idle = 1s, .time = {}};
  run_watch watch(spec, start);
  auto untrained = node();
  untrained.shards[0].model_version = 0;
  untrained.sources.clear();
  (void)watch.look(untrained, start + 10s);
  EXPECT_FALSE(watch.fired(start + 10s));
  auto trained = node();
  trained.sources.clear();
  (void)watch.look(trained, start + 11s);
  EXPECT_FALSE(watch.fired(start + 11s));
  (void)watch.look(trained, start + 12s);
  EXPECT_TRUE(watch.fired(start + 12s));
}

TEST(run_summary, is_one_object_with_the_totals) {
  run_end end;
  end.reason = "records: 18 of 18 processed";
  end.stopped_when = true;
  end.node = node();
  end.node.trainings = {completed()};
  end.figures = run_figures::of(end.node);
  end.data = "/d";
  end.log_url = "rocksdb:/d/log";
  const auto summary = summary_json(application(), end);
  EXPECT_EQ(summary["records"], 15);
  EXPECT_EQ(summary["dead_letters"], 3);
  EXPECT_EQ(summary["mae"].get<double>(), end.figures.metrics.mae());
  EXPECT_EQ(summary["trainings"][0]["version"], 2);
  EXPECT_TRUE(summary["stop_when_fired"]);
}

TEST(run_summary, names_three_commands_that_work_on_what_is_left) {
  run_end end;
  end.data = "/my data";
  end.log_url = "rocksdb:/my data/log";
  const auto commands = further_commands(application(), end);
  ASSERT_EQ(commands.size(), 3U);
  EXPECT_EQ(commands[0], "penstock topic consume packed --log 'rocksdb:/my data/log' -o jsonl | head");
}

TEST(run_summary, tells_people_the_model_and_what_ended_the_run) {
  run_end end;
  end.reason = "idle: nothing processed for 30s";
  end.node = node();
  end.node.trainings = {completed()};
  end.node.trainings[0].reused = true;
  end.figures = run_figures::of(end.node);
  const auto text = summary_text(application(), end);
  for (const char* word : {"idle: nothing", "box-size version 2", "rmse 0.5000", "reused", "Look further"})
    EXPECT_NE(text.find(word), std::string::npos) << word << text;
}

} // namespace
