// SPDX-License-Identifier: Apache-2.0
#include "base/units.hpp"

#include <gtest/gtest.h>

#include <limits>

using namespace penstock;
using namespace std::chrono_literals;

namespace {

TEST(units, read_durations_with_every_unit) {
  EXPECT_EQ(*parse_duration("7ns"), 7ns);
  EXPECT_EQ(*parse_duration("500us"), 500us);
  EXPECT_EQ(*parse_duration("500ms"), 500ms);
  EXPECT_EQ(*parse_duration("0s"), 0s);
  EXPECT_EQ(*parse_duration("10s"), 10s);
  EXPECT_EQ(*parse_duration("1.5s"), 1500ms);
  EXPECT_EQ(*parse_duration("5m"), 5min);
  EXPECT_EQ(*parse_duration("2h"), 2h);
  EXPECT_EQ(*parse_duration("7d"), 168h);
}

TEST(units, refuse_what_is_no_duration_and_say_what_is) {
  for (const char* text : {"", "10", "-1s", "s", "1 s", "1.s", "1.2.3s", ".5s", "10S", "1w", "0.5ns", "1e3s", "999999d",
                           "9223372036854775807s", "99999999999999999999s", "+1s", "0x1s", "1.0000000000s"}) {
    const auto got = parse_duration(text);
    ASSERT_FALSE(got.ok()) << text;
    EXPECT_EQ(got.error().code(), errc::invalid);
    EXPECT_NE(got.error().text().find("500ms"), std::string::npos) << got.error().text();
  }
}

TEST(units, read_the_largest_duration_that_fits_and_no_larger) {
  EXPECT_EQ(parse_duration("9223372036854775807ns")->count(), std::numeric_limits<std::int64_t>::max());
  EXPECT_FALSE(parse_duration("9223372036854775808ns").ok());
  EXPECT_EQ(parse_duration("9223372036.854775807s")->count(), std::numeric_limits<std::int64_t>::max());
  EXPECT_FALSE(parse_duration("9223372036.854775808s").ok());
}

TEST(units, read_sizes_in_powers_of_two_and_of_ten) {
  EXPECT_EQ(*parse_size("512"), 512U);
  EXPECT_EQ(*parse_size("512B"), 512U);
  EXPECT_EQ(*parse_size("64KiB"), 65'536U);
  EXPECT_EQ(*parse_size("64MiB"), 67'108'864U);
  EXPECT_EQ(*parse_size("1.5GiB"), 1'610'612'736U);
  EXPECT_EQ(*parse_size("2kB"), 2'000U);
  EXPECT_EQ(*parse_size("2MB"), 2'000'000U);
  EXPECT_EQ(*parse_size("9223372036854775807"), 9'223'372'036'854'775'807U);
}

TEST(units, refuse_what_is_no_size) {
  for (const char* text :
       {"", "-1", "64mib", "64 MiB", "1.5", "0.5B", "9223372036854775808", "8388608TiB", "MiB", "1KB"})
    EXPECT_FALSE(parse_size(text).ok()) << text;
}

TEST(units, read_rates_per_second_minute_and_hour) {
  EXPECT_DOUBLE_EQ(*parse_rate("100/s"), 100);
  EXPECT_DOUBLE_EQ(*parse_rate("0.5/s"), 0.5);
  EXPECT_DOUBLE_EQ(*parse_rate("6000/m"), 100);
  EXPECT_DOUBLE_EQ(*parse_rate("3600/h"), 1);
  for (const char* text :
       {"", "100", "0/s", "-1/s", "100/d", "/s", "100/", "nan/s", "inf/s", "100/s/s", "1e-320/h", "1e10/s"})
    EXPECT_FALSE(parse_rate(text).ok()) << text;
}

TEST(units, read_fractions_as_percentage_or_number) {
  EXPECT_DOUBLE_EQ(*parse_fraction("20%"), 0.2);
  EXPECT_DOUBLE_EQ(*parse_fraction("0.2"), 0.2);
  EXPECT_DOUBLE_EQ(*parse_fraction("0"), 0);
  EXPECT_DOUBLE_EQ(*parse_fraction("100%"), 1);
  for (const char* text : {"", "%", "101%", "1.01", "-1%", "20 %", "nan", "2%%"})
    EXPECT_FALSE(parse_fraction(text).ok()) << text;
}

TEST(units, print_durations_in_at_most_two_parts) {
  EXPECT_EQ(format_duration(0ns), "0ns");
  EXPECT_EQ(format_duration(999ns), "999ns");
  EXPECT_EQ(format_duration(3'400ns), "3.4us");
  EXPECT_EQ(format_duration(12ms), "12ms");
  EXPECT_EQ(format_duration(1500ms), "1.5s");
  EXPECT_EQ(format_duration(1s), "1s");
  EXPECT_EQ(format_duration(125s), "2m 05s");
  EXPECT_EQ(format_duration(62min), "1h 02m");
  EXPECT_EQ(format_duration(25h), "1d 01h");
  EXPECT_EQ(format_duration(-1500ms), "-1.5s");
}

TEST(units, never_print_a_part_that_is_full) {
  EXPECT_EQ(format_duration(999'999ns), "1ms");
  EXPECT_EQ(format_duration(999'999us), "1s");
  EXPECT_EQ(format_duration(59'999ms), "1m 00s");
  EXPECT_EQ(format_duration(3'599'999ms), "1h 00m");
  EXPECT_EQ(format_duration(24h - 1s), "1d 00h");
  EXPECT_EQ(format_duration(duration::min()), format_duration(duration::min() + 1ns));
  EXPECT_EQ(format_size(1024 * 1024 - 1), "1.0 MiB");
}

TEST(units, print_sizes_and_counts_for_people) {
  EXPECT_EQ(format_size(0), "0 B");
  EXPECT_EQ(format_size(1023), "1023 B");
  EXPECT_EQ(format_size(1'572'864), "1.5 MiB");
  EXPECT_EQ(format_size(std::numeric_limits<std::uint64_t>::max()), "16.0 EiB");
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1000), "1,000");
  EXPECT_EQ(format_count(12'345'678), "12,345,678");
}

} // namespace
