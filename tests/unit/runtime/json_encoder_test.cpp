// SPDX-License-Identifier: Apache-2.0
#include "runtime/json_encoder.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <random>

using namespace penstock::runtime;

namespace {

std::string number(double value) {
  std::string out;
  append_text(cell::of(value), out);
  return out;
}

TEST(json_encoder, writes_fields_in_order_without_blanks) {
  const json_encoder encoder({"id", "price", "town", "new", "gap"});
  std::string out = "before";
  encoder.encode(std::vector<cell>{cell::of(std::int64_t{-5}), cell::of(4.526), cell::of(std::string_view("Pisa")),
                                   cell::of(false), cell{}},
                 out);
  EXPECT_EQ(out, R"(before{"id":-5,"price":4.526,"town":"Pisa","new":false,"gap":null})");
}

TEST(json_encoder, writes_an_object_without_fields) {
  std::string out;
  json_encoder({}).encode({}, out);
  EXPECT_EQ(out, "{}");
}

TEST(json_encoder, escapes_what_json_wants_escaped) {
  std::string out;
  append_json_string(std::string_view("a\"b\\c\n\r\t\x01\x1f/\x7f\0é€", 19), out);
  EXPECT_EQ(nlohmann::json::parse(out).get<std::string>(), std::string("a\"b\\c\n\r\t\x01\x1f/\x7f\0é€", 19));
  EXPECT_NE(out.find("\\u0001"), std::string::npos);
  EXPECT_NE(out.find("\\u0000"), std::string::npos);
  const json_encoder encoder({"a\"b"});
  out.clear();
  encoder.encode(std::vector<cell>{cell::of(std::string_view("\\"))}, out);
  EXPECT_EQ(out, R"({"a\"b":"\\"})");
}

TEST(json_encoder, writes_what_is_not_finite_as_null) {
  EXPECT_EQ(number(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(number(-std::numeric_limits<double>::quiet_NaN()), "null");
}

TEST(json_encoder, lays_numbers_out_as_ecmascript_does) {
  EXPECT_EQ(number(0.0), "0");
  EXPECT_EQ(number(-0.0), "-0");
  EXPECT_EQ(number(1), "1");
  EXPECT_EQ(number(-41), "-41");
  EXPECT_EQ(number(123456), "123456");
  EXPECT_EQ(number(0.1), "0.1");
  EXPECT_EQ(number(1e-6), "0.000001");
  EXPECT_EQ(number(1.5e-7), "1.5e-7");
  EXPECT_EQ(number(1e21), "1e+21");
  EXPECT_EQ(number(1e20), "100000000000000000000");
  EXPECT_EQ(number(1.0238095238095237), "1.0238095238095237");
  EXPECT_EQ(number(std::numeric_limits<double>::denorm_min()), "5e-324");
  EXPECT_EQ(number(std::numeric_limits<double>::max()), "1.7976931348623157e+308");
  EXPECT_EQ(number(-std::numeric_limits<double>::min()), "-2.2250738585072014e-308");
}

TEST(json_encoder, keeps_every_int64) {
  for (const auto value : {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max(),
                           std::int64_t{0}, std::int64_t{9'007'199'254'740'993}}) {
    std::string out;
    append_text(cell::of(value), out);
    EXPECT_EQ(out, std::to_string(value));
  }
}

/// Digits of a number's text, without sign, point, exponent and zeros at the edges.
std::size_t digits_of(std::string_view text) {
  std::string digits;
  for (const char c : text.substr(0, text.find('e')))
    if (c >= '0' && c <= '9')
      digits += c;
  digits.erase(0, digits.find_first_not_of('0'));
  return digits.find_last_not_of('0') + 1;
}

TEST(json_encoder, gives_every_float64_back_bit_for_bit_in_the_fewest_digits) {
  std::mt19937_64 random(20'640);
  for (int i = 0; i < 300'000; ++i) {
    auto value = std::bit_cast<double>(random());
    if (i % 3 == 0) // the range of everyday figures
      value = std::ldexp(static_cast<double>(random() >> 11), static_cast<int>(random() % 64) - 70);
    if (i % 3 == 1) // few digits
      value = static_cast<double>(random() % 1'000'000) / std::pow(10, random() % 12);
    if (!std::isfinite(value))
      continue;
    const auto text = number(value);
    double back = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), back);
    ASSERT_TRUE(problem == std::errc{} && end == text.data() + text.size()) << text;
    ASSERT_EQ(std::bit_cast<std::uint64_t>(back), std::bit_cast<std::uint64_t>(value)) << text;
    char reference[64];
    const auto reference_end =
        std::to_chars(reference, reference + sizeof(reference), value, std::chars_format::scientific).ptr;
    ASSERT_EQ(digits_of(text), digits_of({reference, static_cast<std::size_t>(reference_end - reference)})) << text;
    ASSERT_LE(text.size(), 32U);
  }
}

TEST(json_encoder, writes_long_records_too) {
  const std::string text(5000, '\x01');
  const json_encoder encoder({"a", "b"});
  std::string out;
  encoder.encode(std::vector<cell>{cell::of(std::string_view(text)), cell::of(1.5)}, out);
  EXPECT_EQ(nlohmann::json::parse(out), (nlohmann::json{{"a", text}, {"b", 1.5}}));
}

} // namespace
