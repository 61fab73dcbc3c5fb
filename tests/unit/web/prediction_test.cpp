// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/web/stub_client.hpp"
#include "web/prediction_page.hpp"
#include "web/prediction_request.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdlib>

using namespace penstock;
using namespace penstock::web;

namespace {

ml::schema features() {
  auto width = feature("width");
  width.min = 0;
  width.max = 10;
  auto extra = feature("extra");
  extra.nullable = true;
  return *ml::schema::make({width, feature("count", ml::field_type::int64), extra});
}

using form = std::map<std::string, std::string>;

std::string mistake_in(const std::string& body) {
  const auto rows = read_instances(body, features());
  return rows ? "" : rows.error().text();
}

TEST(prediction_request, takes_objects_in_any_order_and_lists_in_the_models_order) {
  const auto rows =
      read_instances(R"({"instances": [{"extra": 3, "count": 2, "width": 1.5, "other": "x"}, [4, 5, 6]]})", features());
  ASSERT_TRUE(rows) << rows.error().text();
  EXPECT_EQ(rows->count, 2U);
  EXPECT_EQ(rows->values, (std::vector<float>{1.5F, 2, 3, 4, 5, 6}));
}

TEST(prediction_request, takes_null_and_absence_for_missing_where_the_field_allows_it) {
  const auto rows = read_instances(R"({"instances": [{"count": 2, "width": 1}, [1, 2, null]]})", features());
  ASSERT_TRUE(rows);
  EXPECT_TRUE(std::isnan(rows->values[2]));
  EXPECT_TRUE(std::isnan(rows->values[5]));
}

TEST(prediction_request, says_which_instance_and_field_is_wrong) {
  EXPECT_NE(mistake_in(R"({"instances": [[1, 2, 3], {"width": 1}]})").find("instances[1]: count"), std::string::npos);
  EXPECT_NE(mistake_in(R"({"instances": [{"width": "x", "count": 1}]})").find("width"), std::string::npos);
  EXPECT_NE(mistake_in(R"({"instances": [{"width": 11, "count": 1}]})").find("width"), std::string::npos);
  EXPECT_NE(mistake_in(R"({"instances": [{"width": 1, "count": 1.5}]})").find("count"), std::string::npos);
  EXPECT_NE(mistake_in(R"({"instances": [{"width": null, "count": 1}]})").find("width"), std::string::npos);
  EXPECT_NE(mistake_in(R"({"instances": [[1, 2]]})").find("takes 3"), std::string::npos);
  EXPECT_NE(mistake_in(R"({"instances": [7]})").find("instances[0]"), std::string::npos);
}

TEST(prediction_request, refuses_what_is_no_list_of_instances) {
  for (const char* bad : {"", "{", "[]", "{}", R"({"instances": 1})", R"({"instance": []})", "nonsense"})
    EXPECT_NE(mistake_in(bad), "") << bad;
  EXPECT_NE(mistake_in(R"({"instances": 1})").find("instances"), std::string::npos);
}

TEST(prediction_request, takes_numbers_of_a_form_as_people_type_them) {
  const auto rows = read_row(form{{"width", " 2.5 "}, {"count", "3"}, {"extra", ""}}, features());
  ASSERT_TRUE(rows) << rows.error().text();
  EXPECT_EQ(rows->values[0], 2.5F);
  EXPECT_TRUE(std::isnan(rows->values[2]));
  for (const char* bad : {"", "x", "1,5", "nan", "inf", "1e999", "2 3"})
    EXPECT_FALSE(read_row(form{{"width", bad}, {"count", "3"}}, features())) << bad;
}

TEST(prediction_request, writes_numbers_that_read_back_as_the_same_bits) {
  for (const double each : {0.1, 2.1276875, 1e300, -0.0, 5e-324, 123456789.123456789})
    EXPECT_EQ(std::strtod(number_text(each).c_str(), nullptr), each);
  EXPECT_EQ(number_text(std::nan("")), "null");
}

TEST(prediction_page, has_one_labelled_input_per_feature_in_order) {
  prediction_page page;
  page.model = "boxes";
  page.version = 7;
  page.features = features();
  const auto html = html_of(page);
  std::size_t at = 0;
  for (const char* name : {"width", "count", "extra"}) {
    const auto label = html.find("<label for=\"in-" + std::string(name) + "\">", at);
    const auto input = html.find("id=\"in-" + std::string(name) + "\" name=\"" + name + "\"", at);
    ASSERT_NE(label, std::string::npos) << name;
    ASSERT_NE(input, std::string::npos) << name;
    EXPECT_LT(label, input);
    at = input;
  }
  EXPECT_NE(html.find("min=\"0\" max=\"10\""), std::string::npos);
  EXPECT_NE(html.find("version 7"), std::string::npos);
}

TEST(prediction_page, escapes_everything_that_comes_from_outside) {
  const std::string evil = "\"><script>alert(1)</script>";
  prediction_page page;
  page.models = {"a", evil};
  page.model = evil;
  auto choice = feature(evil, ml::field_type::string);
  choice.one_of = {evil};
  page.features = *ml::schema::make({choice, feature("x")});
  page.predicts = evil;
  page.values = {{"x", evil}};
  page.prediction = 1;
  page.mistake = evil;
  EXPECT_EQ(html_of(page).find("<script"), std::string::npos);
}

TEST(prediction_page, shows_the_prediction_with_its_model_and_version) {
  prediction_page page;
  page.model = "boxes";
  page.version = 3;
  page.features = features();
  page.predicts = "volume";
  page.prediction = 2.1276875;
  const auto html = html_of(page);
  for (const char* word : {"volume", "2.13", "2.1276875", "boxes", "version 3"})
    EXPECT_NE(html.find(word), std::string::npos) << word;
}

} // namespace
