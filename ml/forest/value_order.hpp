// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace penstock::ml {

/// Memory to sort in: kept from one column to the next, since that of a million values costs as much as their order.
struct sort_memory {
  std::vector<std::uint32_t> keys;
  std::vector<std::uint32_t> sorted;
};

/// Sorts numbers ascending; −0 comes before +0, and NaN is not allowed. A radix sort: linear, three passes.
void sort_values(std::vector<float>& values, sort_memory& memory);

} // namespace penstock::ml
