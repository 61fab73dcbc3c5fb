// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/bin_kernels.hpp"

namespace penstock::ml {

void bin_portable(const bin_table& table, const float* values, std::size_t count, std::uint8_t* codes) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto x = values[i];
    // A binary search without branches over 256 places, of which the last is +infinity.
    unsigned below = 0;
    for (unsigned step = 128; step != 0; step /= 2) {
      below += x > table.fine[below + step - 1] ? step : 0;
    }
    codes[i] = static_cast<std::uint8_t>(x == x ? below : 255); // NaN differs from itself
  }
}

} // namespace penstock::ml
