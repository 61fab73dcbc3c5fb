// SPDX-License-Identifier: Apache-2.0
#include "keeper/options.hpp"

#include <gtest/gtest.h>

using namespace penstock::keeper;
using namespace std::chrono_literals;

namespace {

auto parsed(const std::vector<const char*>& arguments) {
  return parse(arguments);
}

std::string problem(const std::vector<const char*>& arguments) {
  const auto got = parse(arguments);
  const auto* text = std::get_if<std::string>(&got);
  return text == nullptr ? "none" : *text;
}

TEST(options, take_everything_after_the_dashes_as_the_command) {
  const auto got = std::get<options>(parsed({"--intensity", "3", "--", "penstock", "--intensity", "--", "x"}));
  EXPECT_EQ(got.limits.intensity, 3);
  EXPECT_EQ(got.command, (std::vector<std::string>{"penstock", "--intensity", "--", "x"}));
}

TEST(options, set_every_limit_in_its_unit) {
  const auto got = std::get<options>(
      parsed({"--within", "20", "--backoff-initial", "5", "--backoff-max", "50", "--backoff-reset", "7", "--", "x"}));
  EXPECT_EQ(got.limits.intensity, 5);
  EXPECT_EQ(got.limits.within, 20s);
  EXPECT_EQ(got.limits.backoff_initial, 5ms);
  EXPECT_EQ(got.limits.backoff_max, 50ms);
  EXPECT_EQ(got.limits.backoff_reset, 7s);
}

TEST(options, say_what_is_wrong) {
  EXPECT_NE(problem({}).find("no command"), std::string::npos);
  EXPECT_NE(problem({"--"}).find("no command"), std::string::npos);
  EXPECT_NE(problem({"penstock"}).find("\"penstock\" is no option"), std::string::npos);
  for (const char* value : {"", "-1", "5s", "1000001", "--"})
    EXPECT_NE(problem({"--within", value, "--", "x"}).find("--within wants"), std::string::npos) << value;
  EXPECT_NE(problem({"--within"}).find("--within wants"), std::string::npos);
  EXPECT_EQ(problem({"--help"}), "");
}

} // namespace
