// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/web/stub_client.hpp"
#include "tools/model_text.hpp"
#include "web/model_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace penstock;
using namespace penstock::tools;
using testing::HasSubstr;

namespace {

std::string text_of_mail() {
  const auto model = web::classifier("mail", {"0", "1"}, ml::field_type::int64);
  runtime::registry_table::model registered;
  registered.name = "mail";
  registered.aliases = {{"champion", 4}};
  return model_text(web::to_json(*model, registered));
}

TEST(model_text, says_what_serves_and_why) {
  const auto text = text_of_mail();
  EXPECT_THAT(text, HasSubstr("mail version 4"));
  EXPECT_THAT(text, HasSubstr("champion = version 4"));
  EXPECT_THAT(text, HasSubstr("by_hand: a test needs no other"));
  EXPECT_THAT(text, HasSubstr("777 B stored, 4.0 KiB in memory"));
  EXPECT_THAT(text, HasSubstr("kind (int64), one of 0, 1"));
}

TEST(model_text, draws_importances_by_size) {
  const auto text = text_of_mail();
  EXPECT_THAT(text, HasSubstr("p1  [########################]  75.0 %"));
  EXPECT_THAT(text, HasSubstr("p0  [########----------------]  25.0 %"));
  EXPECT_LT(text.find("p1  ["), text.find("p0  ["));
}

TEST(model_text, cannot_drive_the_terminal) {
  const auto model = web::classifier("mail", {"0", "\x1b[2J"}, ml::field_type::string);
  EXPECT_EQ(model_text(web::to_json(*model->package, "d", 1)).find('\x1b'), std::string::npos);
}

TEST(main_metrics, leave_out_what_has_a_plainer_name) {
  EXPECT_EQ(main_metrics({{"f1", 1}, {"f1_macro", 2}, {"f1_weighted", 3}, {"oob_rows", 9}}),
            (std::map<std::string, double>{{"f1", 1}}));
  EXPECT_EQ(main_metrics({{"f1_macro", 2}, {"f1_weighted", 3}, {"rmse", 4}}),
            (std::map<std::string, double>{{"f1_macro", 2}, {"rmse", 4}}));
}

} // namespace
