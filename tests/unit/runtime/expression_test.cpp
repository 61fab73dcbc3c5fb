// SPDX-License-Identifier: Apache-2.0
#include "runtime/expression.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

using namespace penstock;
using namespace penstock::runtime;
using testing::HasSubstr;

namespace {

const std::vector<expression_input> inputs{{"id", ml::field_type::int64},     {"a", ml::field_type::float64},
                                           {"b", ml::field_type::float64},    {"zero", ml::field_type::float64},
                                           {"none", ml::field_type::float64}, {"town", ml::field_type::string},
                                           {"new", ml::field_type::boolean},  {"odd name", ml::field_type::float64}};

const std::vector<cell> row{cell::of(std::int64_t{9'007'199'254'740'993}),
                            cell::of(7.5),
                            cell::of(-2.0),
                            cell::of(0.0),
                            cell{},
                            cell::of(std::string_view("Pisa")),
                            cell::of(true),
                            cell::of(1.25)};

struct outcome {
  cell value;
  bool undefined = false;
};

outcome evaluate(std::string_view text) {
  const auto compiled = expression::compile(text, inputs);
  EXPECT_TRUE(compiled.ok()) << compiled.error().text();
  outcome out;
  if (compiled)
    out.value = compiled->evaluate(row, out.undefined);
  return out;
}

double number(std::string_view text) {
  const auto out = evaluate(text);
  EXPECT_EQ(out.value.what, cell::kind::float64) << text;
  EXPECT_FALSE(out.undefined) << text;
  return out.value.number;
}

std::string mistake(std::string_view text) {
  const auto compiled = expression::compile(text, inputs);
  EXPECT_FALSE(compiled.ok()) << text;
  return compiled ? "" : compiled.error().text();
}

TEST(expression, binds_as_school_arithmetic_does) {
  EXPECT_EQ(number("1 + 2 * 3"), 7);
  EXPECT_EQ(number("(1 + 2) * 3"), 9);
  EXPECT_EQ(number("10 - 4 - 3"), 3);
  EXPECT_EQ(number("16 / 4 / 2"), 2);
  EXPECT_EQ(number("-a + -b"), -5.5);
  EXPECT_EQ(number("2 * -3"), -6);
  EXPECT_EQ(number("--a"), 7.5);
  EXPECT_EQ(number("-2 * -(1 + 1)"), 4);
  EXPECT_EQ(number(" a\t-\nb "), 9.5);
  EXPECT_EQ(number("1.5e2 + .5"), 150.5);
  EXPECT_EQ(number("`odd name` * 4"), 5);
}

TEST(expression, knows_its_functions) {
  EXPECT_EQ(number("abs(b)"), 2);
  EXPECT_EQ(number("min(a, b, 3)"), -2);
  EXPECT_EQ(number("max(a, b, 30)"), 30);
  EXPECT_EQ(number("sqrt(a + 1.5)"), 3);
  EXPECT_EQ(number("log(exp(1))"), 1);
  EXPECT_EQ(number("floor(a) + ceil(a)"), 15);
  EXPECT_EQ(number("min(max(a, 1), max(b, 2) * 2)"), 4);
}

TEST(expression, passes_a_field_alone_through_whatever_its_type) {
  EXPECT_EQ(evaluate("id").value.integer, 9'007'199'254'740'993) << "float64 has no such number";
  EXPECT_EQ(evaluate("town").value.string(), "Pisa");
  EXPECT_TRUE(evaluate("(new)").value.flag);
  EXPECT_TRUE(evaluate("none").value.is_null());
  EXPECT_EQ(expression::compile("town", inputs)->type(), ml::field_type::string);
  EXPECT_EQ(expression::compile("id + 0", inputs)->type(), ml::field_type::float64);
  EXPECT_EQ(expression::compile("id", inputs)->lone_field(), 0U);
  EXPECT_FALSE(expression::compile("id + 0", inputs)->lone_field().has_value());
}

TEST(expression, lets_null_pass_without_counting_it) {
  for (const auto* text : {"none + 1", "-none", "min(a, none)", "a * (none / zero)", "none / zero", "none"}) {
    const auto out = evaluate(text);
    EXPECT_TRUE(out.value.is_null()) << text;
    EXPECT_FALSE(out.undefined) << text;
  }
}

TEST(expression, makes_null_of_what_arithmetic_does_not_define_and_says_so) {
  for (const auto* text : {"a / zero", "zero / zero", "1 / (a - a) * 0", "sqrt(b)", "log(zero)", "log(b)", "exp(1000)",
                           "1 / exp(1000)", "min(a, sqrt(b))", "max(sqrt(b), a)", "1e308 * 10"}) {
    const auto out = evaluate(text);
    EXPECT_TRUE(out.value.is_null()) << text;
    EXPECT_TRUE(out.undefined) << text;
  }
}

TEST(expression, makes_null_of_a_field_that_is_not_finite) {
  const auto compiled = expression::compile("a", inputs);
  auto broken = row;
  broken[1] = cell::of(std::numeric_limits<double>::quiet_NaN());
  bool undefined = false;
  EXPECT_TRUE(compiled->evaluate(broken, undefined).is_null());
  EXPECT_TRUE(undefined);
}

TEST(expression, means_the_last_of_equal_names) {
  const std::vector<expression_input> twice{{"x", ml::field_type::float64}, {"x", ml::field_type::float64}};
  const std::vector<cell> cells{cell::of(1.0), cell::of(2.0)};
  bool undefined = false;
  EXPECT_EQ(expression::compile("x", twice)->evaluate(cells, undefined).number, 2);
  EXPECT_EQ(expression::compile("x + 0", twice)->evaluate(cells, undefined).number, 2);
}

TEST(expression, says_what_is_wrong_and_where) {
  EXPECT_THAT(mistake("a + "), HasSubstr("a value is missing at the end"));
  EXPECT_THAT(mistake(""), HasSubstr("a value is missing"));
  EXPECT_THAT(mistake("a b"), HasSubstr("\"b\" is not expected (at character 3)"));
  EXPECT_THAT(mistake("(a"), HasSubstr("\")\" is missing"));
  EXPECT_THAT(mistake("a)"), HasSubstr("\")\" is not expected"));
  EXPECT_THAT(mistake("a + * b"), HasSubstr("\"*\" is not expected"));
  EXPECT_THAT(mistake("twon"), HasSubstr("there is no field twon here; did you mean town?"));
  EXPECT_THAT(mistake("sqr(a)"), HasSubstr("there is no function sqr; did you mean sqrt?"));
  EXPECT_THAT(mistake("median(a)"), HasSubstr("there are abs, sqrt"));
  EXPECT_THAT(mistake("min(a)"), HasSubstr("min takes two or more values"));
  EXPECT_THAT(mistake("abs(a, b)"), HasSubstr("abs takes one value"));
  EXPECT_THAT(mistake("abs()"), HasSubstr("\")\" is not expected"));
  EXPECT_THAT(mistake("town + 1"), HasSubstr("field town is a string and cannot be reckoned with"));
  EXPECT_THAT(mistake("-new"), HasSubstr("field new is a boolean"));
  EXPECT_THAT(mistake("1e999"), HasSubstr("this is no number"));
  EXPECT_THAT(mistake("`a"), HasSubstr("without a second one"));
  EXPECT_THAT(mistake(std::string("a\0", 2)), HasSubstr("is not expected"));
  EXPECT_EQ(expression::compile("x", inputs).error().code(), errc::configuration);
}

TEST(expression, survives_bombs) {
  EXPECT_THAT(mistake(std::string(5000, '(')), HasSubstr("longer than 4096 bytes"));
  EXPECT_THAT(mistake(std::string(2000, '(') + "a" + std::string(2000, ')')), HasSubstr("nested deeper"));
  EXPECT_EQ(number(std::string(4000, '-') + "a"), 7.5);
  std::string waiting;
  for (int i = 0; i < 63; ++i)
    waiting += "1+(";
  EXPECT_EQ(number(waiting + "1" + std::string(63, ')')), 64);
  EXPECT_THAT(mistake("1+(" + waiting + "1" + std::string(64, ')')), HasSubstr("deeper than 64"));
}

// -- against plain C++ ----------------------------------------------------------------

struct random_term {
  std::string text;
  double value = 0;
};

/// A random expression and its value, reckoned as it is built.
random_term make_term(std::mt19937_64& random, int depth) {
  const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<std::uint64_t>(n)); };
  if (depth == 0 || pick(4) == 0) {
    switch (pick(3)) {
    case 0:
      return {"a", 7.5};
    case 1:
      return {"b", -2.0};
    default:
      const auto value = static_cast<double>(pick(1000)) / 8;
      return {fmt::format("{}", value), value};
    }
  }
  const auto left = make_term(random, depth - 1);
  const auto right = make_term(random, depth - 1);
  switch (pick(7)) {
  case 0:
    return {"(" + left.text + " + " + right.text + ")", left.value + right.value};
  case 1:
    return {"(" + left.text + "-" + right.text + ")", left.value - right.value};
  case 2:
    return {"(" + left.text + "*" + right.text + ")", left.value * right.value};
  case 3:
    return {"(" + left.text + "/(" + right.text + "))", left.value / right.value};
  case 4:
    return {"-(" + left.text + ")", -left.value};
  case 5:
    return {"min(" + left.text + "," + right.text + ")", std::min(left.value, right.value)};
  default:
    return {"abs(" + left.text + ")", std::fabs(left.value)};
  }
}

TEST(expression, agrees_with_plain_arithmetic_on_random_trees) {
  int defined = 0;
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    std::mt19937_64 random(seed);
    const auto term = make_term(random, 5);
    if (!std::isfinite(term.value))
      continue;
    const auto out = evaluate(term.text);
    if (out.undefined)
      continue; // something on the way was not finite
    ++defined;
    ASSERT_EQ(out.value.as_number(), term.value) << "seed " << seed << ": " << term.text;
  }
  EXPECT_GT(defined, 2000);
}

} // namespace
