// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/tools/recording_console.hpp"
#include "tools/run_screen.hpp"

#include <gtest/gtest.h>

#include <algorithm>

using namespace penstock;
using namespace penstock::tools;
using namespace std::chrono_literals;

namespace {

const time_point start{};

actors::node_info streaming(std::uint64_t records) {
  actors::node_info out;
  out.ready = true;
  actors::shard_info shard;
  shard.partitions = {{{"in", 0}, 0, 0, {.records = records}}};
  out.shards = {shard};
  return out;
}

actors::node_info waiting() {
  auto out = streaming(0);
  actors::training_info training;
  training.state = "waiting";
  out.trainings = {training};
  return out;
}

std::ptrdiff_t lines(const std::string& text) {
  return std::ranges::count(text, '\n');
}

TEST(run_screen, prints_a_line_every_two_seconds_and_after_twenty_every_ten) {
  recording_console to;
  run_screen screen(to, "boxes", true);
  for (int tenth = 0; tenth <= 600; ++tenth)
    screen.show(streaming(1), run_figures::of(streaming(1)), start + 100ms * tenth);
  EXPECT_EQ(lines(to.written), 10 + 4); // 0, 2 … 18 s; 28, 38, 48, 58 s
  EXPECT_EQ(to.said, "");
}

TEST(run_screen, prints_a_heartbeat_while_nothing_streams_yet) {
  recording_console to;
  run_screen screen(to, "boxes", true);
  for (int second = 0; second < 100; ++second)
    screen.show(waiting(), run_figures::of(waiting()), start + 1s * second);
  EXPECT_EQ(lines(to.written), 3);
}

TEST(run_screen, writes_to_standard_error_when_standard_output_is_for_the_summary) {
  recording_console to;
  run_screen screen(to, "boxes", false);
  screen.begin("http://127.0.0.1:1", 2);
  screen.show(streaming(1), run_figures::of(streaming(1)), start);
  screen.finish();
  EXPECT_EQ(to.written, "");
  EXPECT_NE(to.said.find("process 2 of this run"), std::string::npos);
}

TEST(run_screen, redraws_on_a_terminal_and_leaves_the_last_figures_standing) {
  recording_console to;
  to.terminal = true;
  run_screen screen(to, "boxes", true);
  screen.show(streaming(1), run_figures::of(streaming(1)), start);
  EXPECT_NE(to.written.find("\x1b[J"), std::string::npos);
  to.written.clear();
  screen.finish();
  EXPECT_NE(to.written.find("committed  1"), std::string::npos) << to.written;
  EXPECT_EQ(to.written.find("A\r"), std::string::npos);
}

} // namespace
