// SPDX-License-Identifier: Apache-2.0
#include "web/list_page.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace penstock;
using namespace penstock::web;

namespace {

std::vector<document> items(int count) {
  std::vector<document> out;
  for (int i = 0; i < count; ++i)
    out.push_back({{"name", "n" + std::to_string(i)}, {"at", {{"place", i % 2 == 0 ? "North" : "South"}}}, {"i", i}});
  return out;
}

result<document> page(int count, const std::string& query) {
  return list_page(items(count), *parse_target("/x?" + query));
}

TEST(list_page, walks_through_all_items_once_by_cursor) {
  std::vector<int> seen;
  std::string cursor;
  do {
    const auto found = page(25, "limit=10" + (cursor.empty() ? "" : "&cursor=" + cursor));
    ASSERT_TRUE(found);
    for (const auto& item : found->at("items"))
      seen.push_back(item.at("i").get<int>());
    cursor = found->at("next").is_string() ? found->at("next").get<std::string>() : "";
  } while (!cursor.empty());
  ASSERT_EQ(seen.size(), 25U);
  for (int i = 0; i < 25; ++i)
    EXPECT_EQ(seen[static_cast<std::size_t>(i)], i);
}

TEST(list_page, has_no_next_page_when_the_last_item_just_fits) {
  EXPECT_TRUE(page(10, "limit=10")->at("next").is_null());
}

TEST(list_page, filters_by_part_of_a_value_whatever_its_case) {
  EXPECT_EQ(page(10, "filter=at.place%3Dnorth")->at("items").size(), 5U);
  EXPECT_EQ(page(10, "filter=at.place%3Dnorth,name%3D4")->at("items").size(), 1U);
  EXPECT_EQ(page(10, "filter=i%3D7")->at("items").size(), 1U);
  EXPECT_EQ(page(10, "filter=nothing%3D7")->at("items").size(), 0U);
}

TEST(list_page, refuses_bounds_filters_and_cursors_that_are_not_its_own) {
  const auto next = page(10, "limit=5")->at("next").get<std::string>();
  for (const auto& bad : {std::string("limit=0"), std::string("limit=1001"), std::string("limit=x"),
                          std::string("filter=name"), std::string("filter=%3Dx"), std::string("cursor=5"),
                          "filter=name%3Dn&cursor=" + next, "cursor=6" + next.substr(1)})
    EXPECT_EQ(page(10, bad).error().code(), errc::invalid) << bad;
}

} // namespace
