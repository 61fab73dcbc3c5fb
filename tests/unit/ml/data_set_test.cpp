// SPDX-License-Identifier: Apache-2.0
#include "ml/data_set.hpp"
#include "tests/support/california_housing.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace penstock::ml {
namespace {

data_set sample() {
  return std::move(read_csv("i,f,b,s\n1,1.5,true,x\n2,,false,y\n3,3.5,,\n", {})->data);
}

TEST(data_set, gives_cells_as_typed_values) {
  const auto data = sample();
  EXPECT_EQ(data.at(0, *data.find("i")), value(std::int64_t{1}));
  EXPECT_EQ(data.at(0, *data.find("f")), value(1.5));
  EXPECT_EQ(data.at(0, *data.find("b")), value(true));
  EXPECT_EQ(data.at(0, *data.find("s")), value(std::string("x")));
  EXPECT_EQ(data.at(1, *data.find("f")), value(std::monostate{}));
  EXPECT_EQ(data.at(2, *data.find("b")), value(std::monostate{}));
  EXPECT_EQ(data.at(2, *data.find("s")), value(std::monostate{}));
  EXPECT_EQ(data.find("nothing"), nullptr);
}

TEST(data_set, selects_rows_in_the_order_asked_for) {
  const std::vector<std::uint32_t> rows{2, 0, 0};
  const auto data = sample().select(rows);
  EXPECT_EQ(data.rows(), 3U);
  EXPECT_EQ(data.find("i")->numbers, (std::vector<double>{3, 1, 1}));
  EXPECT_EQ(data.find("s")->strings, (std::vector<std::string>{"", "x", "x"}));
  EXPECT_EQ(data.find("b")->missing, (std::vector<bool>{true, false, false}));
  EXPECT_TRUE(data.find("f")->missing.empty());
}

TEST(data_set, features_hold_nan_where_missing) {
  const auto features = sample().features({"f", "i", "b"});
  ASSERT_TRUE(features);
  EXPECT_EQ(features->rows(), 3);
  EXPECT_EQ((*features)(0, 0), 1.5F);
  EXPECT_TRUE(std::isnan((*features)(1, 0)));
  EXPECT_EQ((*features)(2, 1), 3.0F);
  EXPECT_EQ((*features)(0, 2), 1.0F);
  EXPECT_TRUE(std::isnan((*features)(2, 2)));
}

TEST(data_set, names_the_column_that_cannot_be_a_feature_or_target) {
  const auto data = sample();
  EXPECT_NE(data.features({"i", "nothing"}).error().text().find("column nothing is not in the data"),
            std::string::npos);
  EXPECT_NE(data.features({"s"}).error().text().find("column s holds strings"), std::string::npos);
  EXPECT_NE(data.target("f").error().text().find("target f: data row 2 has no finite value"), std::string::npos);
  EXPECT_EQ(data.target("s").error().code(), errc::invalid);
  ASSERT_TRUE(data.target("i"));
  EXPECT_EQ((*data.target("i"))(2), 3.0);
}

data_set::column numbers(const std::string& name, field_type type, std::vector<double> values,
                         std::vector<bool> missing = {}) {
  field_spec field;
  field.name = name;
  field.type = type;
  return {field, std::move(values), {}, std::move(missing)};
}

data_set labelled() {
  field_spec text;
  text.name = "text";
  text.type = field_type::string;
  return data_set::of({numbers("whole", field_type::int64, {10, -1, 9, 10}),
                       numbers("flag", field_type::boolean, {1, 0, 1, 1}),
                       {text, {}, {"b", "B", "\xc3\xa4", "b"}, {}},
                       numbers("share", field_type::float64, {0.5, 1, 0, 2}),
                       numbers("gap", field_type::int64, {1, 2, 0, 2}, {false, false, true, false}),
                       numbers("below", field_type::float64, {1, 1, -2, 1}),
                       numbers("none", field_type::float64, {0, 0, 0, 0})});
}

TEST(data_set, numbers_classes_in_the_order_of_scikit_learn) {
  const auto data = labelled();
  const auto whole = data.classes("whole");
  ASSERT_TRUE(whole) << whole.error().text();
  EXPECT_EQ(whole->classes, (std::vector<std::string>{"-1", "9", "10"})) << "by value, not by text";
  EXPECT_EQ(whole->numbers, (std::vector<std::uint32_t>{2, 0, 1, 2}));
  EXPECT_EQ(whole->type, field_type::int64);
  const auto flag = data.classes("flag");
  ASSERT_TRUE(flag);
  EXPECT_EQ(flag->classes, (std::vector<std::string>{"false", "true"}));
  EXPECT_EQ(flag->numbers, (std::vector<std::uint32_t>{1, 0, 1, 1}));
  const auto text = data.classes("text");
  ASSERT_TRUE(text);
  EXPECT_EQ(text->classes, (std::vector<std::string>{"B", "b", "\xc3\xa4"})) << "by bytes";
}

TEST(data_set, numbers_only_the_classes_of_the_rows_that_are_asked_for) {
  const std::vector<std::uint32_t> rows{3, 2};
  const auto data = labelled();
  const auto whole = data.classes("whole", rows);
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->classes, (std::vector<std::string>{"9", "10"}));
  EXPECT_EQ(whole->numbers, (std::vector<std::uint32_t>{1, 0}));
}

TEST(data_set, says_which_row_has_no_class_and_which_column_cannot_have_any) {
  const auto data = labelled();
  EXPECT_NE(data.classes("gap").error().text().find("data row 3 has no class"), std::string::npos);
  const std::vector<std::uint32_t> rows{1, 3, 2};
  EXPECT_NE(data.classes("gap", rows).error().text().find("data row 3"), std::string::npos) << "of the whole file";
  EXPECT_NE(data.classes("share").error().text().find("must be integers, booleans or strings"), std::string::npos);
  EXPECT_NE(data.classes("tex").error().text().find("did you mean text?"), std::string::npos);
  std::vector<double> many(5000);
  std::iota(many.begin(), many.end(), 0.0);
  const auto wide = data_set::of({numbers("id", field_type::int64, many)});
  EXPECT_NE(wide.classes("id").error().text().find("too many for classes"), std::string::npos);
}

TEST(data_set, gives_the_rows_that_are_asked_for_in_their_order) {
  const auto data = labelled();
  const std::vector<std::uint32_t> rows{2, 0};
  const auto features = data.features({"whole", "share"}, rows);
  ASSERT_TRUE(features);
  EXPECT_EQ((*features)(0, 0), 9.0F);
  EXPECT_EQ((*features)(1, 1), 0.5F);
  ASSERT_TRUE(data.target("share", rows));
  EXPECT_EQ((*data.target("share", rows))(1), 0.5);
  std::vector<float> column(2);
  ASSERT_TRUE(data.feature("whole", rows, column));
  EXPECT_EQ(column, (std::vector<float>{9, 10}));
}

TEST(data_set, takes_only_weights_that_a_row_can_have) {
  const auto data = labelled();
  ASSERT_TRUE(data.weights("share"));
  EXPECT_EQ((*data.weights("share"))(3), 2.0);
  EXPECT_NE(data.weights("below").error().text().find("-2 of data row 3 is negative"), std::string::npos);
  EXPECT_NE(data.weights("none").error().text().find("no row has one above 0"), std::string::npos);
  EXPECT_NE(data.weights("gap").error().text().find("data row 3 has no finite value"), std::string::npos);
}

TEST(data_set, lets_go_of_columns) {
  auto data = labelled();
  data.keep({"whole", "share", "nothing"});
  EXPECT_EQ(data.columns().size(), 2U);
  EXPECT_EQ(data.rows(), 4U);
  data.drop("whole");
  EXPECT_EQ(data.find("whole"), nullptr);
  EXPECT_NE(data.find("share"), nullptr);
}

TEST(data_set, refuses_a_feature_beyond_float32) {
  const auto data = std::move(read_csv("a\n1e300\n", {})->data);
  EXPECT_NE(data.features({"a"}).error().text().find("does not fit into float32"), std::string::npos);
  EXPECT_TRUE(data.target("a"));
}

TEST(data_set, california_housing_is_as_its_page_says) {
  const auto& data = testing::california_housing();
  EXPECT_EQ(data.rows(), 20640U);
  ASSERT_EQ(data.columns().size(), 9U);
  for (const auto& column : data.columns()) {
    EXPECT_EQ(column.field.type, field_type::float64);
    EXPECT_TRUE(column.missing.empty());
  }
  EXPECT_EQ(data.find("MedInc")->numbers[0], 8.3252);
  EXPECT_EQ(data.find("target")->numbers[0], 4.526);
}

} // namespace
} // namespace penstock::ml
