// SPDX-License-Identifier: Apache-2.0
#include "ml/compensated_sum.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <limits>

namespace penstock::ml {
namespace {

double sum_of(std::initializer_list<double> terms) {
  compensated_sum sum;
  for (const double term : terms)
    sum.add(term);
  return sum.value();
}

TEST(compensated_sum, keeps_small_terms_before_and_after_a_large_one) {
  EXPECT_EQ(sum_of({1, 0x1p60, -0x1p60}), 1);
  EXPECT_EQ(sum_of({0x1p60, 1, -0x1p60}), 1);
  EXPECT_EQ(sum_of({1, 1e100, 1, -1e100}), 2);
}

TEST(compensated_sum, of_nothing_is_zero) {
  EXPECT_EQ(sum_of({}), 0);
}

TEST(compensated_sum, overflows_to_infinity_as_a_plain_sum_does) {
  constexpr double most = std::numeric_limits<double>::max();
  EXPECT_EQ(sum_of({most, most}), std::numeric_limits<double>::infinity());
  EXPECT_EQ(sum_of({-most, -most, 1}), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(sum_of({most, 1}), most);
}

} // namespace
} // namespace penstock::ml
