// SPDX-License-Identifier: Apache-2.0
#include "runtime/shard_state.hpp"

#include <gtest/gtest.h>

namespace penstock::runtime {
namespace {

shard_state some() {
  shard_state out;
  out.metrics.add(1, 2);
  out.generation = 7;
  out.generation_from = 100;
  out.next = 250;
  out.skipped = 3;
  out.verdicts = {10, 20};
  return out;
}

TEST(shard_state, comes_back_as_it_was) {
  const auto back = shard_state::decode(some().encode());
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, some());
}

TEST(shard_state, keeps_the_latest_verdicts_alone) {
  auto many = some();
  many.verdicts.clear();
  for (wall_time i = 0; i < 100; ++i)
    many.verdicts.push_back(i);
  const auto back = shard_state::decode(many.encode());
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->verdicts.size(), shard_state::kept_verdicts);
  EXPECT_EQ(back->verdicts.back(), 99);
}

TEST(shard_state, refuses_damage_and_a_newer_version) {
  const auto good = some().encode();
  for (std::size_t length = 0; length < good.size(); ++length)
    EXPECT_FALSE(shard_state::decode(good.substr(0, length)).ok()) << length;
  EXPECT_EQ(shard_state::decode(good + "x").error().code(), errc::invalid);
  auto newer = good;
  newer[4] = 2;
  EXPECT_EQ(shard_state::decode(newer).error().code(), errc::configuration);
}

} // namespace
} // namespace penstock::runtime
