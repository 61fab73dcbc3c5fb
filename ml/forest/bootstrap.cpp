// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/bootstrap.hpp"

#include "ml/forest/forest_random.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace penstock::ml {

bootstrap bootstrap::none(std::size_t rows) {
  bootstrap made;
  made.rows_ = rows;
  return made;
}

bootstrap bootstrap::draws(std::size_t rows, std::span<const double> weights) {
  bootstrap made;
  made.rows_ = rows;
  made.replace_ = true;
  if (!weights.empty()) {
    made.place(weights);
  }
  return made;
}

void bootstrap::place(std::span<const double> weights) {
  const auto largest = *std::max_element(weights.begin(), weights.end());
  double sum = 0; // of shares of the largest, so that it cannot overflow
  for (double weight : weights) {
    sum += weight / largest;
  }
  constexpr double whole = 4294967296.0; // 2³²
  std::vector<double> odds;              // in slots, times 2³²
  std::vector<std::uint32_t> under;
  std::vector<std::uint32_t> over;
  for (std::uint32_t row = 0; row < weights.size(); ++row) {
    odds.push_back(weights[row] / largest / sum * static_cast<double>(weights.size()) * whole);
    (odds.back() < whole ? under : over).push_back(row);
  }
  slots_.assign(weights.size(), {});
  while (!under.empty() && !over.empty()) {
    const auto poor = under.back();
    const auto rich = over.back();
    under.pop_back();
    slots_[poor] = {static_cast<std::uint32_t>(odds[poor]), rich};
    odds[rich] -= whole - odds[poor];
    if (odds[rich] < whole) {
      over.pop_back();
      under.push_back(rich);
    }
  }
  // What is left is a whole slot but for rounding, or has no weight at all and goes to somebody who has.
  const auto richest = static_cast<std::uint32_t>(std::max_element(weights.begin(), weights.end()) - weights.begin());
  for (const auto& rest : {under, over}) {
    for (auto row : rest) {
      slots_[row] = {0, weights[row] > 0 ? row : richest};
    }
  }
}

void bootstrap::sample(std::uint64_t tree_key, std::span<std::uint32_t> counts) const {
  std::fill(counts.begin(), counts.end(), replace_ ? 0U : 1U);
  if (!replace_) {
    return;
  }
  random_stream random(tree_key);
  if (slots_.empty()) {
    for (std::size_t draw = 0; draw < rows_; ++draw) {
      ++counts[random.below(rows_)];
    }
    return;
  }
  for (std::size_t draw = 0; draw < rows_; ++draw) {
    const auto drawn = random.next();
    const auto row = static_cast<std::uint32_t>(((drawn >> 32) * rows_) >> 32);
    const auto coin = static_cast<std::uint32_t>(drawn);
    ++counts[coin < slots_[row].odds ? row : slots_[row].other];
  }
}

std::optional<std::uint32_t> bootstrap::sample(std::uint64_t tree_key, std::span<std::uint8_t> counts,
                                               draw_function& draw) const {
  if (!slots_.empty()) {
    return std::nullopt;
  }
  const auto rows = static_cast<std::uint32_t>(rows_);
  std::fill(counts.begin(), counts.end(), replace_ ? std::uint8_t{0} : std::uint8_t{1});
  return replace_ ? draw(tree_key, rows, rows, counts.data()) : rows;
}

} // namespace penstock::ml
