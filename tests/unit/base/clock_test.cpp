// SPDX-License-Identifier: Apache-2.0
#include "base/clock.hpp"

#include <gtest/gtest.h>

#include <limits>

using namespace penstock;

namespace {

TEST(clock, prints_wall_time_as_rfc_3339_in_utc) {
  EXPECT_EQ(format_wall(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_wall(1'769'860'800'123), "2026-01-31T12:00:00.123Z");
  EXPECT_EQ(format_wall(-1), "1969-12-31T23:59:59.999Z");
}

TEST(clock, prints_even_a_time_that_no_calendar_has) {
  EXPECT_FALSE(format_wall(std::numeric_limits<wall_time>::max()).empty());
  EXPECT_FALSE(format_wall(std::numeric_limits<wall_time>::min()).empty());
}

TEST(clock, does_not_go_back) {
  const auto first = system_clock().now();
  EXPECT_LE(first, system_clock().now());
  EXPECT_GT(system_clock().wall(), 1'700'000'000'000);
}

} // namespace
