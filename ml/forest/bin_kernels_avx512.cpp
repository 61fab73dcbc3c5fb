// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/bin_kernels.hpp"

#include <immintrin.h>

namespace penstock::ml {

void bin_avx512(const bin_table& table, const float* values, std::size_t count, std::uint8_t* codes) {
  const __m512 coarse = _mm512_load_ps(table.coarse);
  for (std::size_t i = 0; i < count; ++i) {
    const __m512 x = _mm512_set1_ps(values[i]);
    // The cuts ascend, so that those below x come first in either row. NaN is above none.
    const auto block = static_cast<unsigned>(_mm_popcnt_u32(_mm512_cmp_ps_mask(x, coarse, _CMP_GT_OQ)));
    const __m512 fine = _mm512_load_ps(table.fine + 16 * block);
    const auto below = 16 * block + static_cast<unsigned>(_mm_popcnt_u32(_mm512_cmp_ps_mask(x, fine, _CMP_GT_OQ)));
    codes[i] = static_cast<std::uint8_t>(values[i] == values[i] ? below : 255);
  }
}

} // namespace penstock::ml
