// SPDX-License-Identifier: Apache-2.0
#include "ml/schema.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace penstock::ml {
namespace {

field_spec field(std::string name, field_type type) {
  field_spec made;
  made.name = std::move(name);
  made.type = type;
  return made;
}

std::string refusal(const field_spec& field, const value& cell) {
  auto checked = check(field, cell);
  return checked ? "" : checked.error().text();
}

TEST(schema, names_of_types_are_read_back) {
  for (auto type : {field_type::int64, field_type::float64, field_type::boolean, field_type::string}) {
    EXPECT_EQ(field_type_of(name_of(type)), type);
  }
  EXPECT_FALSE(field_type_of("float32"));
}

TEST(schema, finds_fields_by_name) {
  auto made = schema::make({field("a", field_type::int64), field("b", field_type::string)});
  ASSERT_TRUE(made);
  EXPECT_EQ(made->find("b"), 1U);
  EXPECT_FALSE(made->find("c"));
  EXPECT_EQ(made->size(), 2U);
}

TEST(schema, refuses_names_that_occur_twice_or_are_empty) {
  auto twice = schema::make({field("a", field_type::int64), field("a", field_type::string)});
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code(), errc::invalid);
  EXPECT_NE(twice.error().text().find("field a occurs twice"), std::string::npos);
  EXPECT_FALSE(schema::make({field("", field_type::int64)}));
}

TEST(schema, refuses_bounds_that_cannot_hold) {
  auto text = field("t", field_type::string);
  text.min = 1;
  EXPECT_FALSE(schema::make({text}));
  auto crossed = field("n", field_type::float64);
  crossed.min = 2;
  crossed.max = 1;
  EXPECT_FALSE(schema::make({crossed}));
  crossed.max = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(schema::make({crossed}));
  crossed.max = 2;
  EXPECT_TRUE(schema::make({crossed}));
}

TEST(schema, null_is_allowed_only_where_nullable) {
  auto number = field("MedInc", field_type::float64);
  EXPECT_EQ(refusal(number, std::monostate{}), "field MedInc: is null but not nullable");
  number.nullable = true;
  EXPECT_EQ(refusal(number, std::monostate{}), "");
}

TEST(schema, bounds_are_inclusive) {
  auto number = field("n", field_type::float64);
  number.min = -1;
  number.max = 5;
  EXPECT_EQ(refusal(number, -1.0), "");
  EXPECT_EQ(refusal(number, 5.0), "");
  EXPECT_EQ(refusal(number, std::int64_t{3}), "");
  EXPECT_EQ(refusal(number, -1.5), "field n: -1.5 is below its minimum -1");
  EXPECT_EQ(refusal(number, std::int64_t{6}), "field n: 6 is above its maximum 5");
}

TEST(schema, numbers_must_be_finite) {
  const auto number = field("n", field_type::float64);
  EXPECT_NE(refusal(number, std::nan("")), "");
  EXPECT_NE(refusal(number, std::numeric_limits<double>::infinity()), "");
  EXPECT_NE(refusal(number, -std::numeric_limits<double>::infinity()), "");
}

TEST(schema, a_value_of_another_type_is_refused_with_both_types_named) {
  EXPECT_EQ(refusal(field("n", field_type::float64), std::string("x")), "field n: expected float64, found a string");
  EXPECT_EQ(refusal(field("n", field_type::int64), 1.5), "field n: expected int64, found a number");
  EXPECT_EQ(refusal(field("n", field_type::string), true), "field n: expected string, found a boolean");
  EXPECT_EQ(refusal(field("n", field_type::boolean), std::int64_t{1}), "field n: expected boolean, found an integer");
}

TEST(schema, allowed_values_are_compared_as_text) {
  auto text = field("ocean", field_type::string);
  text.one_of = {"NEAR BAY", "INLAND"};
  EXPECT_EQ(refusal(text, std::string("INLAND")), "");
  EXPECT_EQ(refusal(text, std::string("ISLAND")), "field ocean: ISLAND is not one of NEAR BAY, INLAND");
  auto number = field("n", field_type::float64);
  number.one_of = {"0.5", "2"};
  EXPECT_EQ(refusal(number, 0.5), "");
  EXPECT_EQ(refusal(number, std::int64_t{2}), "");
  EXPECT_NE(refusal(number, 1.0), "");
  auto flag = field("f", field_type::boolean);
  flag.one_of = {"true"};
  EXPECT_EQ(refusal(flag, true), "");
  EXPECT_NE(refusal(flag, false), "");
}

} // namespace
} // namespace penstock::ml
