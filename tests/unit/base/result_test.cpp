// SPDX-License-Identifier: Apache-2.0
#include "base/result.hpp"
#include "base/version.hpp"

#include <gtest/gtest.h>

#include <memory>

using namespace penstock;

namespace {

TEST(result, carries_a_value_or_an_error) {
  const result<std::string> good(std::string("x"));
  EXPECT_TRUE(good.ok());
  EXPECT_EQ(*good, "x");
  const result<std::string> bad(fail(errc::not_found, "topic {} does not exist", "t"));
  EXPECT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code(), errc::not_found);
  EXPECT_EQ(bad.error().text(), "topic t does not exist");
}

TEST(result, gives_its_value_away) {
  result<std::unique_ptr<int>> owner(std::make_unique<int>(7));
  const auto taken = *std::move(owner);
  EXPECT_EQ(*taken, 7);
}

TEST(result, without_value_is_success_by_default) {
  EXPECT_TRUE(status().ok());
  EXPECT_FALSE(status(fail(errc::timeout, "late")).ok());
}

TEST(error, tells_where_it_was_seen) {
  const auto seen = fail(errc::invalid, "row 7 has 8 columns").in("data.csv");
  EXPECT_EQ(seen.code(), errc::invalid);
  EXPECT_EQ(seen.text(), "data.csv: row 7 has 8 columns");
  EXPECT_STREQ(name_of(errc::try_again), "try_again");
}

TEST(version, is_known) {
  EXPECT_EQ(version().find("0."), 0U);
  EXPECT_FALSE(build_id().empty());
}

} // namespace
