// SPDX-License-Identifier: Apache-2.0
#include "base/fault_list.hpp"
#include "base/fault_point.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

using namespace penstock;

namespace {

TEST(fault_list, is_off_unless_named) {
  fault_list none("");
  EXPECT_FALSE(none.pass("crash"));
  fault_list other("crashes,,=x,@3,");
  EXPECT_FALSE(other.pass("crash"));
  EXPECT_FALSE(other.pass(""));
}

TEST(fault_list, is_on_at_every_pass_of_a_plain_name) {
  fault_list faults("slow,crash");
  EXPECT_TRUE(faults.pass("crash"));
  EXPECT_TRUE(faults.pass("crash"));
  EXPECT_TRUE(faults.argument("crash").empty());
}

TEST(fault_list, hands_out_arguments_without_counting) {
  fault_list faults("poison=id=7,crash@1");
  EXPECT_EQ(faults.argument("poison"), "id=7");
  EXPECT_EQ(faults.argument("crash"), "");
  EXPECT_TRUE(faults.pass("poison"));
  EXPECT_TRUE(faults.pass("crash"));
}

TEST(fault_list, is_on_only_at_the_pass_that_was_named) {
  fault_list faults("crash@3,crash@5");
  std::vector<bool> seen;
  for (int i = 0; i < 6; ++i)
    seen.push_back(faults.pass("crash"));
  EXPECT_EQ(seen, (std::vector<bool>{false, false, true, false, true, false}));
}

TEST(fault_list, fires_once_however_many_threads_pass) {
  fault_list faults("crash@500");
  std::atomic<int> fired{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 250; ++i)
        fired += faults.pass("crash") ? 1 : 0;
    });
  for (auto& thread : threads)
    thread.join();
  EXPECT_EQ(fired, 1);
}

TEST(fault_point, is_off_when_the_environment_names_none) {
  EXPECT_FALSE(fault("a fault that nobody switches on"));
  EXPECT_TRUE(fault_argument("a fault that nobody switches on").empty());
}

} // namespace
