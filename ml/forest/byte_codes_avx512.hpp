// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ml/forest/byte_walk.hpp"

#include <cstddef>
#include <cstdint>

#include <immintrin.h>

/// Values to codes with AVX-512, for the files of instruction sets that include it: everything here is in an unnamed
/// namespace.
namespace penstock::ml {

namespace {

struct avx512_codes {
  /// Thresholds below a value, by comparing it with sixteen at a time.
  static byte_code code_of(const byte_thresholds& of, float value) {
    const auto x = _mm512_set1_ps(value);
    const auto coarse = __builtin_popcount(_mm512_cmp_ps_mask(x, _mm512_loadu_ps(of.coarse), _CMP_GT_OQ));
    const auto fine = __builtin_popcount(_mm512_cmp_ps_mask(x, _mm512_loadu_ps(of.fine + 16 * coarse), _CMP_GT_OQ));
    return static_cast<byte_code>(16 * coarse + fine - 128);
  }

  static bool any_missing(const float* values, std::size_t count) {
    unsigned missing = 0;
    for (; count >= 16; values += 16, count -= 16) {
      const auto some = _mm512_loadu_ps(values);
      missing |= _mm512_cmp_ps_mask(some, some, _CMP_UNORD_Q);
    }
    const auto rest = _mm512_maskz_loadu_ps(static_cast<__mmask16>((1U << count) - 1), values);
    return (missing | _mm512_cmp_ps_mask(rest, rest, _CMP_UNORD_Q)) != 0;
  }
};

} // namespace

} // namespace penstock::ml
