// SPDX-License-Identifier: Apache-2.0
#include "ml/split.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <random>
#include <tuple>
#include <utility>

namespace penstock::ml {

namespace {

using indices = std::vector<std::uint32_t>;

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

/// NumPy's `RandomState.shuffle`.
void shuffle(std::mt19937& generator, indices& values) {
  for (auto i = static_cast<std::uint32_t>(values.size()); i-- > 1;) {
    std::swap(values[i], values[draw_up_to(generator, i)]);
  }
}

/// NumPy's `RandomState.permutation`.
indices permutation(std::mt19937& generator, std::uint32_t size) {
  indices values(size);
  std::iota(values.begin(), values.end(), 0U);
  shuffle(generator, values);
  return values;
}

std::uint32_t test_rows(std::uint32_t rows, double test_size) {
  const auto wanted = std::ceil(static_cast<double>(rows) * test_size);
  return static_cast<std::uint32_t>(std::min(wanted, static_cast<double>(rows)));
}

/// How many of `draws` rows each class gives, in proportion to its rows: scikit-learn's `_approximate_mode`. The shares
/// are rounded down; what is missing is added by the largest remainders, and by lot among equal ones. Its float64
/// arithmetic is part of the result: it decides which remainders are equal and how often the generator is asked.
std::vector<std::uint32_t> allocate(std::span<const std::uint32_t> class_rows, std::uint32_t draws,
                                    std::mt19937& generator) {
  const auto rows = static_cast<double>(std::accumulate(class_rows.begin(), class_rows.end(), std::uint64_t{0}));
  std::vector<std::uint32_t> given;
  std::map<double, indices, std::greater<>> classes_by_remainder;
  std::uint32_t missing = draws;
  for (std::uint32_t i = 0; i < class_rows.size(); ++i) {
    const double share = class_rows[i] / rows * draws;
    given.push_back(static_cast<std::uint32_t>(share));
    classes_by_remainder[share - std::floor(share)].push_back(i);
    missing -= given.back();
  }
  for (const auto& [remainder, classes] : classes_by_remainder) {
    if (missing == 0) {
      break;
    }
    const auto size = static_cast<std::uint32_t>(classes.size());
    const auto lots = permutation(generator, size); // RandomState.choice without replacement
    const auto winners = std::min(size, missing);
    for (std::uint32_t i = 0; i < winners; ++i) {
      ++given[classes[lots[i]]];
    }
    missing -= winners;
  }
  return given;
}

status check(const std::map<std::uint32_t, indices>& rows_of, std::uint32_t train, std::uint32_t test) {
  for (const auto& [number, rows] : rows_of) {
    if (rows.size() < 2) {
      return fail(errc::invalid,
                  "class number {} has only one row, a stratified split needs two of each class: give more rows of it, "
                  "leave it out, or split without stratification",
                  number);
    }
  }
  for (const auto& [name, rows, remedy] : {std::tuple{"train", train, "smaller"}, std::tuple{"test", test, "larger"}}) {
    if (rows < rows_of.size()) {
      return fail(errc::invalid,
                  "the {} part would have {} of {} rows, fewer than the {} classes: choose a {} test_size, give more "
                  "data, or split without stratification",
                  name, rows, train + test, rows_of.size(), remedy);
    }
  }
  return {};
}

} // namespace

split_indices train_test_split(std::uint32_t rows, double test_size, std::uint32_t seed) {
  std::mt19937 generator(seed); // the seeding of init_genrand, which RandomState(seed) uses for an integer
  const auto order = permutation(generator, rows);
  const auto border = order.begin() + test_rows(rows, test_size);
  return {{border, order.end()}, {order.begin(), border}};
}

result<split_indices> stratified_train_test_split(std::span<const std::uint32_t> classes, double test_size,
                                                  std::uint32_t seed) {
  if (!(test_size > 0 && test_size < 1)) {
    return fail(errc::invalid, "test_size is {}: give a share between 0 and 1, such as 0.2", test_size);
  }
  if (classes.empty() || classes.size() > std::numeric_limits<std::uint32_t>::max()) {
    return fail(errc::invalid, "{} rows cannot be split: give 2 to {}", classes.size(),
                std::numeric_limits<std::uint32_t>::max());
  }
  const auto rows = static_cast<std::uint32_t>(classes.size());
  std::map<std::uint32_t, indices> rows_of;
  for (std::uint32_t row = 0; row < rows; ++row) {
    rows_of[classes[row]].push_back(row);
  }
  const auto test = test_rows(rows, test_size);
  if (const auto possible = check(rows_of, rows - test, test); !possible) {
    return possible.error();
  }

  std::vector<std::uint32_t> left;
  for (const auto& [number, of_class] : rows_of) {
    left.push_back(static_cast<std::uint32_t>(of_class.size()));
  }
  std::mt19937 generator(seed); // the seeding of init_genrand, which RandomState(seed) uses for an integer
  const auto to_train = allocate(left, rows - test, generator);
  std::ranges::transform(left, to_train, left.begin(), std::minus<>{});
  const auto to_test = allocate(left, test, generator);

  split_indices parts;
  std::size_t i = 0;
  for (const auto& [number, of_class] : rows_of) {
    const auto order = permutation(generator, static_cast<std::uint32_t>(of_class.size()));
    for (std::uint32_t k = 0; k < to_train[i] + to_test[i]; ++k) {
      (k < to_train[i] ? parts.train : parts.test).push_back(of_class[order[k]]);
    }
    ++i;
  }
  shuffle(generator, parts.train);
  shuffle(generator, parts.test);
  return parts;
}

} // namespace penstock::ml
