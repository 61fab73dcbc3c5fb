// SPDX-License-Identifier: Apache-2.0
#include "ml/split.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <utility>

namespace penstock::ml {

namespace {

/// NumPy's legacy bounded integer: the low bits that can hold `max`, drawn again while above it.
std::uint32_t draw_up_to(std::mt19937& generator, std::uint32_t max) {
  std::uint32_t mask = max;
  for (unsigned shift = 1; shift < 32; shift *= 2) {
    mask |= mask >> shift;
  }
  for (;;) {
    const auto drawn = static_cast<std::uint32_t>(generator()) & mask;
    if (drawn <= max) {
      return drawn;
    }
  }
}

} // namespace

split_indices train_test_split(std::uint32_t rows, double test_size, std::uint32_t seed) {
  std::vector<std::uint32_t> permutation(rows);
  std::iota(permutation.begin(), permutation.end(), 0U);
  std::mt19937 generator(seed); // the seeding of init_genrand, which RandomState(seed) uses for an integer
  for (std::uint32_t i = rows; i-- > 1;) {
    std::swap(permutation[i], permutation[draw_up_to(generator, i)]);
  }
  const auto test_rows = static_cast<std::ptrdiff_t>(std::ceil(static_cast<double>(rows) * test_size));
  const auto border = permutation.begin() + std::min<std::ptrdiff_t>(test_rows, rows);
  return {{border, permutation.end()}, {permutation.begin(), border}};
}

} // namespace penstock::ml
