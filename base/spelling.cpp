// SPDX-License-Identifier: Apache-2.0
#include "base/spelling.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

namespace penstock {

namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::size_t distance(std::string_view a, std::string_view b) {
  const std::size_t width = b.size() + 1;
  // Rows i-2, i-1 and i of the table; a transposition looks two rows back.
  std::array<std::vector<std::size_t>, 3> rows{std::vector<std::size_t>(width), std::vector<std::size_t>(width),
                                               std::vector<std::size_t>(width)};
  for (std::size_t j = 0; j < width; ++j)
    rows[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    const auto& before = rows[(i + 1) % 3];
    const auto& above = rows[(i + 2) % 3];
    auto& row = rows[i % 3];
    row[0] = i;
    for (std::size_t j = 1; j < width; ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return rows[a.size() % 3].back();
}

} // namespace

std::optional<std::string> nearest(std::string_view word, std::span<const std::string> known) {
  std::size_t limit = word.size() <= 3 ? 1 : 2;
  const std::string* best = nullptr;
  for (const auto& candidate : known) {
    const auto gap = std::max(word.size(), candidate.size()) - std::min(word.size(), candidate.size());
    if (gap > limit)
      continue;
    const auto d = distance(word, candidate);
    if (d > limit || (best != nullptr && d == limit))
      continue;
    limit = d;
    best = &candidate;
  }
  return best == nullptr ? std::nullopt : std::optional<std::string>(*best);
}

} // namespace penstock
