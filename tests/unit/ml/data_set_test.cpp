// SPDX-License-Identifier: Apache-2.0
#include "ml/data_set.hpp"
#include "tests/support/california_housing.hpp"

#include <gtest/gtest.h>

#include <cmath>

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
