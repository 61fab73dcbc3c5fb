// SPDX-License-Identifier: Apache-2.0
#include "base/log_line.hpp"
#include "base/logging.hpp"
#include "base/repeat_limiter.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <array>

using namespace penstock;
using namespace std::chrono_literals;
using logging::field;
using logging::level;

namespace {

TEST(log_line, is_one_json_object_with_the_fields_of_the_conventions) {
  const std::array fields{field{"actor", "house-prices/predictor/3"}, field{"shard", "3"}, field{"offset", "-1"},
                          field{"application", "7"}};
  const auto text = logging::as_json({level::warning, 0, "actor.restarted", "it \"failed\"\n", fields});
  EXPECT_EQ(text.find('\n'), text.size() - 1);
  const auto object = nlohmann::json::parse(text);
  EXPECT_EQ(object.at("ts"), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(object.at("level"), "warning");
  EXPECT_EQ(object.at("event"), "actor.restarted");
  EXPECT_EQ(object.at("msg"), "it \"failed\"\n");
  EXPECT_EQ(object.at("shard"), 3);
  EXPECT_EQ(object.at("offset"), -1);
  EXPECT_EQ(object.at("application"), "7");
}

TEST(log_line, is_valid_json_whatever_bytes_it_is_given) {
  const std::array numbers{"", "-", "007", "1e5", "12x", "99999999999999999999"};
  for (const char* number : numbers) {
    const std::array fields{field{"shard", number}};
    EXPECT_EQ(nlohmann::json::parse(logging::as_json({level::info, 0, "e", "m", fields})).at("shard"), number);
  }
  for (int first = 0; first < 256; ++first)
    for (int second = 0; second < 256; ++second) {
      const std::string bytes{static_cast<char>(first), static_cast<char>(second), '\xA0', 'z'};
      const auto text = logging::as_json({level::info, 0, "e", bytes, {}});
      ASSERT_TRUE(nlohmann::json::accept(text)) << first << " " << second;
    }
}

TEST(log_line, keeps_letters_of_every_script) {
  const std::string text = "Preis 5 € für 家, 🏠";
  EXPECT_EQ(nlohmann::json::parse(logging::as_json({level::info, 0, "e", text, {}})).at("msg"), text);
}

TEST(log_line, for_people_cannot_drive_the_terminal) {
  const std::array fields{field{"cause", "a b"}, field{"err", ""}};
  const auto text = logging::as_text({level::error, 0, "e.f",
                                      "\x1b[2J\n\xC2\x9B"
                                      "31m",
                                      fields},
                                     false);
  EXPECT_EQ(text, "00:00:00.000Z error   \\u001b[2J\\n\\u009b31m  [e.f] cause=\"a b\" err=\"\"\n");
  EXPECT_NE(logging::as_text({level::error, 0, "e", "m", {}}, true).find("\x1b[31merror"), std::string::npos);
  EXPECT_EQ(logging::as_text({level::info, 0, "e", "m", {}}, true).find('\x1b'), std::string::npos);
}

TEST(repeat_limiter, lets_the_first_through_and_counts_the_rest_of_a_second) {
  repeat_limiter limiter;
  const time_point start{};
  EXPECT_TRUE(limiter.pass("a", 1, start));
  EXPECT_FALSE(limiter.pass("a", 1, start + 10ms));
  EXPECT_TRUE(limiter.pass("b", 2, start + 10ms));
  EXPECT_FALSE(limiter.pass("a", 1, start + 999ms));
  EXPECT_TRUE(limiter.due(start + 999ms).empty());
  EXPECT_EQ(limiter.due(start + 1s), (std::vector<repeat_limiter::held_back>{{"a", 2, 1}}));
  EXPECT_TRUE(limiter.due(start + 2s).empty());
  EXPECT_TRUE(limiter.pass("a", 1, start + 2s));
}

TEST(repeat_limiter, reports_everything_at_the_end) {
  repeat_limiter limiter;
  EXPECT_TRUE(limiter.pass("a", 1, {}));
  EXPECT_FALSE(limiter.pass("a", 1, {}));
  EXPECT_EQ(limiter.due({}, true), (std::vector<repeat_limiter::held_back>{{"a", 1, 1}}));
  EXPECT_TRUE(limiter.due({}, true).empty());
}

TEST(repeat_limiter, holds_nothing_back_when_it_cannot_remember_more) {
  repeat_limiter limiter;
  for (int i = 0; i < 1'024; ++i)
    ASSERT_TRUE(limiter.pass(std::to_string(i), 1, {}));
  EXPECT_TRUE(limiter.pass("one more", 1, {}));
  EXPECT_TRUE(limiter.pass("one more", 1, {}));
  EXPECT_FALSE(limiter.pass("7", 1, {}));
}

class logging_to_stderr : public ::testing::Test {
protected:
  ~logging_to_stderr() override {
    logging::flush();
    logging::configure(logging::default_format(), level::info);
  }
};

TEST_F(logging_to_stderr, writes_what_is_severe_enough_and_reports_repeats) {
  logging::configure(logging::format::json, level::info);
  ::testing::internal::CaptureStderr();
  logging::debug("test.debug", "not seen");
  for (int i = 0; i < 3; ++i)
    logging::warning("test.repeat", "again", {{"shard", std::to_string(i)}});
  logging::flush();
  const auto text = ::testing::internal::GetCapturedStderr();
  const auto end = text.find('\n');
  ASSERT_NE(end, std::string::npos);
  const auto first = nlohmann::json::parse(text.substr(0, end));
  const auto second = nlohmann::json::parse(text.substr(end + 1));
  EXPECT_EQ(first.at("shard"), 0);
  EXPECT_EQ(second.at("repeats"), "2");
  EXPECT_EQ(second.at("event"), "test.repeat");
  EXPECT_EQ(second.at("msg"), "again");
  EXPECT_EQ(second.at("level"), "warning");
}

TEST_F(logging_to_stderr, follows_the_level) {
  logging::configure(logging::format::text, level::error);
  ::testing::internal::CaptureStderr();
  logging::warning("test.level", "not seen");
  logging::set_level(level::debug);
  logging::debug("test.level", "seen");
  EXPECT_NE(::testing::internal::GetCapturedStderr().find("debug   seen  [test.level]"), std::string::npos);
}

} // namespace
