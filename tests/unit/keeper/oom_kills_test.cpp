// SPDX-License-Identifier: Apache-2.0
#include "keeper/message.hpp"
#include "keeper/oom_kills.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <csignal>

using namespace penstock::keeper;
using namespace std::chrono_literals;

namespace {

TEST(oom_kills, are_counted_in_the_own_group_first) {
  EXPECT_EQ(oom_files("0::/penstock.slice/node\n"),
            (std::vector<std::string>{"/sys/fs/cgroup/penstock.slice/node/memory.events",
                                      "/sys/fs/cgroup/memory.events", "/proc/vmstat"}));
  EXPECT_EQ(oom_files("4:cpu,cpuacct:/x\n3:memory:/docker/1\n0::/\n"),
            (std::vector<std::string>{"/sys/fs/cgroup/memory/docker/1/memory.oom_control",
                                      "/sys/fs/cgroup/memory/memory.oom_control", "/sys/fs/cgroup/memory.events",
                                      "/proc/vmstat"}));
  EXPECT_EQ(oom_files("nonsense\n:\n"), (std::vector<std::string>{"/proc/vmstat"}));
}

TEST(oom_kills, are_read_from_both_versions_of_groups_and_from_the_machine) {
  EXPECT_EQ(parse_oom_kills("low 0\nhigh 0\nmax 3\noom 2\noom_kill 7\noom_group_kill 1\n"), 7U);
  EXPECT_EQ(parse_oom_kills("oom_kill_disable 0\nunder_oom 0\noom_kill 3"), 3U);
  EXPECT_EQ(parse_oom_kills("oom_kill_disable 1\nunder_oom 0\n"), std::nullopt);
  EXPECT_EQ(parse_oom_kills("oom_kill x\n"), std::nullopt);
  EXPECT_EQ(parse_oom_kills(""), std::nullopt);
}

TEST(message, is_a_json_line_of_the_conventions) {
  const auto object = nlohmann::json::parse(json_line(0, 7, "warning", "keeper.restarted", "a \"b\"\n\\", "signal:9"));
  EXPECT_EQ(object.at("ts"), "1970-01-01T00:00:00.007Z");
  EXPECT_EQ(object.at("level"), "warning");
  EXPECT_EQ(object.at("event"), "keeper.restarted");
  EXPECT_EQ(object.at("msg"), "a \"b\"?\\");
  EXPECT_EQ(object.at("cause"), "signal:9");
  EXPECT_FALSE(nlohmann::json::parse(json_line(0, 0, "error", "e", "m", "")).contains("cause"));
}

TEST(message, describes_a_death_for_people) {
  EXPECT_EQ(describe(death{death::kind::exited, 1}), "exit code 1");
  EXPECT_EQ(describe(death{death::kind::exited, 86}), "watchdog, exit code 86");
  EXPECT_EQ(describe(death{death::kind::killed, SIGKILL}), "signal 9, Killed");
  EXPECT_EQ(describe(death{death::kind::oom, SIGKILL}), "out of memory");
  EXPECT_EQ(describe(penstock::keeper::duration(1500ms)), "1.5 s");
}

} // namespace
