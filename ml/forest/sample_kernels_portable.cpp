// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/forest_random.hpp"
#include "ml/forest/growth.hpp"
#include "ml/forest/sample_kernels.hpp"

#include <algorithm>
#include <cstring>

namespace penstock::ml {

std::uint32_t draw_portable(std::uint64_t key, std::uint32_t rows, std::uint32_t draws, std::uint8_t* counts) {
  random_stream random(key);
  for (std::uint32_t draw = 0; draw < draws; ++draw) {
    ++counts[random.below(rows)];
  }
  return rows - static_cast<std::uint32_t>(std::count(counts, counts + rows, 0));
}

std::uint32_t gather_portable(const std::uint8_t* counts, const std::uint16_t* targets, const float* deviations,
                              const std::uint8_t* codes, std::uint32_t rows, const sampled_rows& drawn,
                              std::uint64_t& all) {
  std::uint32_t found = 0;
  all = 0;
  for (std::uint32_t row = 0; row < rows; ++row) {
    const std::uint32_t count = counts[row];
    all += cell_of(count, targets[row]);
    drawn.deviations[found] = deviations[row];
    drawn.payloads[found] = (count * targets[row]) << 8 | count;
    std::memcpy(drawn.codes + found * drawn.stride, codes + row * drawn.stride, drawn.stride);
    found += count != 0 ? 1 : 0;
  }
  return found;
}

} // namespace penstock::ml
