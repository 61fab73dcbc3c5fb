// SPDX-License-Identifier: Apache-2.0
#include "base/spelling.hpp"

#include <gtest/gtest.h>

#include <vector>

using namespace penstock;

namespace {

const std::vector<std::string> known{"topics", "partitions", "rate", "limit", "on_error"};

TEST(spelling, finds_what_was_meant) {
  EXPECT_EQ(nearest("topic", known), "topics");          // missing letter
  EXPECT_EQ(nearest("partitoins", known), "partitions"); // swapped
  EXPECT_EQ(nearest("limits", known), "limit");          // one too many
  EXPECT_EQ(nearest("on-error", known), "on_error");     // another
  EXPECT_EQ(nearest("RATE", known), "rate");             // case
  EXPECT_EQ(nearest("aprtitoins", known), "partitions"); // two swaps
}

TEST(spelling, does_not_guess_wildly) {
  EXPECT_EQ(nearest("model", known), std::nullopt);
  EXPECT_EQ(nearest("", known), std::nullopt);
  EXPECT_EQ(nearest("partit", known), std::nullopt);
  EXPECT_EQ(nearest("ra", known), std::nullopt);
  EXPECT_EQ(nearest("topic", {}), std::nullopt);
}

TEST(spelling, prefers_the_nearest_and_then_the_first) {
  const std::vector<std::string> words{"rates", "rate", "ratf"};
  EXPECT_EQ(nearest("ratee", words), "rates");
  EXPECT_EQ(nearest("rate", words), "rate");
}

} // namespace
