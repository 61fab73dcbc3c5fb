// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/bin_kernels.hpp"

#include <immintrin.h>

namespace penstock::ml {

namespace {

/// How many of 16 ascending numbers are below x.
inline unsigned below(__m256 x, const float* numbers) {
  const auto low = _mm256_movemask_ps(_mm256_cmp_ps(x, _mm256_load_ps(numbers), _CMP_GT_OQ));
  const auto high = _mm256_movemask_ps(_mm256_cmp_ps(x, _mm256_load_ps(numbers + 8), _CMP_GT_OQ));
  return static_cast<unsigned>(_mm_popcnt_u32(static_cast<unsigned>(low | high << 8)));
}

} // namespace

void bin_avx2(const bin_table& table, const float* values, std::size_t count, std::uint8_t* codes) {
  for (std::size_t i = 0; i < count; ++i) {
    const __m256 x = _mm256_set1_ps(values[i]);
    const auto block = below(x, table.coarse);
    const auto found = 16 * block + below(x, table.fine + 16 * block);
    codes[i] = static_cast<std::uint8_t>(values[i] == values[i] ? found : 255); // NaN differs from itself
  }
}

} // namespace penstock::ml
