// SPDX-License-Identifier: Apache-2.0
#include "runtime/control_record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace penstock::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::vector<control_record>& one_of_each() {
  static const std::vector<control_record> all = {
      run_started{"run-1", "house-prices/house-prices", "aa11", 2, 1'700'000'000'000},
      run_completed{"run-1", "house-prices/house-prices", "aa11", "bb22", {{"rmse", 0.5445}, {"r2", 0.7738}}, -1},
      run_failed{"run-1", "house-prices/house-prices", 3, true, "disk full: \"quoted\"\n\t\x01 R²", 5},
      model_registered{"house-prices", std::numeric_limits<std::uint64_t>::max(), "bb22", "run-1", {}, 6},
      alias_set{"house-prices", "champion", 1, 7},
      generation_activated{"house-prices/house-prices", 9, "house-prices", 1, 8},
      event_noted{"actor.restarted", "house-prices/predictor/3", "boom", 9},
  };
  return all;
}

TEST(control_record, reads_back_what_it_wrote_for_every_command) {
  for (const auto& record : one_of_each()) {
    const auto text = encode(record);
    const auto back = decode_control(text);
    ASSERT_TRUE(back) << back.error().text();
    EXPECT_EQ(back->index(), record.index());
    EXPECT_EQ(encode(*back), text);
  }
  const auto back = decode_control(encode(one_of_each()[1]));
  EXPECT_EQ(std::get<run_completed>(*back).metrics, (std::map<std::string, double>{{"r2", 0.7738}, {"rmse", 0.5445}}));
  EXPECT_EQ(std::get<run_completed>(*back).at, -1);
}

TEST(control_record, is_one_line_of_json_that_begins_with_type_and_version) {
  EXPECT_EQ(encode(alias_set{"house-prices", "champion", 4, 7}),
            R"({"type":"alias_set","version":1,"name":"house-prices","alias":"champion","model_version":4,"at":7})");
}

TEST(control_record, reads_a_command_that_carries_members_it_does_not_know) {
  const auto back = decode_control(R"({"new":[1,{"a":2}],"at":7,"type":"alias_set","version":1,"name":"n","alias":"a",
                                       "model_version":4})");
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(std::get<alias_set>(*back).version, 4U);
}

TEST(control_record, keeps_a_metric_that_is_no_number_as_no_number) {
  const auto nan = std::numeric_limits<double>::quiet_NaN();
  const auto back = decode_control(encode(run_completed{"r", "t", "i", "d", {{"r2", nan}}, 1}));
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_TRUE(std::isnan(std::get<run_completed>(*back).metrics.at("r2")));
}

TEST(control_record, writes_bytes_that_are_no_text_as_replacement_characters) {
  const auto back = decode_control(encode(event_noted{"e", "s",
                                                      "a\xff"
                                                      "b",
                                                      1}));
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(std::get<event_noted>(*back).text, "a\xEF\xBF\xBD"
                                               "b");
}

TEST(control_record, cuts_a_text_that_would_not_fit_without_halving_a_character) {
  std::string long_text = "x";
  while (long_text.size() < 2 * max_control_text)
    long_text += "²";
  const auto back = decode_control(encode(event_noted{"e", "s", long_text, 1}));
  ASSERT_TRUE(back) << back.error().text();
  const auto& text = std::get<event_noted>(*back).text;
  EXPECT_EQ(text.size(), max_control_text - 1);
  EXPECT_THAT(long_text, StartsWith(text));
}

TEST(control_record, refuses_a_type_or_version_of_a_newer_penstock_as_a_matter_of_configuration) {
  const auto type = decode_control(R"({"type":"shard_moved","version":1})");
  ASSERT_FALSE(type);
  EXPECT_EQ(type.error().code(), errc::configuration);
  EXPECT_THAT(type.error().text(), HasSubstr("shard_moved"));
  const auto version = decode_control(R"({"type":"alias_set","version":2,"name":7})");
  ASSERT_FALSE(version);
  EXPECT_EQ(version.error().code(), errc::configuration);
  EXPECT_THAT(version.error().text(), HasSubstr("version 2"));
}

TEST(control_record, refuses_damage) {
  const std::vector<std::string> damaged = {
      "",
      "null",
      "[]",
      "7",
      "{",
      "{}",
      R"({"type":"alias_set"})",
      R"({"version":1})",
      R"({"type":7,"version":1})",
      R"({"type":"alias_set","version":0})",
      R"({"type":"alias_set","version":1.0})",
      R"({"type":"alias_set","version":1,"name":"n","alias":"a","model_version":-1,"at":7})",
      R"({"type":"alias_set","version":1,"name":"n","alias":"a","model_version":1.5,"at":7})",
      R"({"type":"alias_set","version":1,"name":"n","alias":"a","model_version":18446744073709551616,"at":7})",
      R"({"type":"alias_set","version":1,"name":"n","alias":"a","model_version":1,"at":9223372036854775808})",
      R"({"type":"alias_set","version":1,"name":null,"alias":"a","model_version":1,"at":7})",
      R"({"type":"run_started","version":1,"run":"r","training":"t","inputs":"i","attempt":4294967296,"at":7})",
      R"({"type":"run_failed","version":1,"run":"r","training":"t","attempt":1,"final":1,"cause":"c","at":7})",
      R"({"type":"run_completed","version":1,"run":"r","training":"t","inputs":"i","digest":"d","metrics":[],"at":7})",
      R"({"type":"run_completed","version":1,"run":"r","training":"t","inputs":"i","digest":"d","metrics":{"a":"b"},"at":7})",
      R"({"type":"alias_set","version":1,"name":"n","alias":"a","model_version":1,"at":7} trailing)",
      "{\"type\":\"alias_set\xff\",\"version\":1}",
  };
  for (const auto& text : damaged) {
    const auto back = decode_control(text);
    ASSERT_FALSE(back) << text;
    EXPECT_EQ(back.error().code(), errc::invalid) << text;
  }
}

TEST(control_record, names_the_member_that_is_damaged) {
  const auto back = decode_control(R"({"type":"alias_set","version":1,"name":"n","alias":7,"model_version":1,"at":7})");
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().text(), "control record: 'alias' of a alias_set is missing or of another type");
}

TEST(control_record, refuses_texts_that_are_too_long_or_too_deep) {
  const auto too_long = decode_control(std::string(max_control_bytes + 1, ' '));
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error().code(), errc::invalid);
  const auto too_deep = decode_control("{\"a\":" + std::string(max_control_bytes - 10, '['));
  ASSERT_FALSE(too_deep);
  EXPECT_EQ(too_deep.error().code(), errc::invalid);
  EXPECT_THAT(too_deep.error().text(), HasSubstr("deep"));
}

TEST(control_record, survives_any_flipped_byte) {
  std::mt19937 random(1);
  for (const auto& record : one_of_each()) {
    const auto whole = encode(record);
    for (int i = 0; i < 2000; ++i) {
      auto text = whole;
      text[random() % text.size()] = static_cast<char>(random());
      text.resize(random() % 3 == 0 ? random() % text.size() : text.size());
      const auto back = decode_control(text);
      EXPECT_TRUE(!back || decode_control(encode(*back))) << text;
    }
  }
}

} // namespace
} // namespace penstock::runtime
