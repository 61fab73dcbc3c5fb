// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ml/forest/byte_walk.hpp"

#include <cstddef>
#include <cstdint>

#include <immintrin.h>

/// What the files of both AVX-512 sets do alike. Everything here is in an unnamed namespace.
namespace penstock::ml {

namespace {

/// Registers of 64 bytes, as far as both sets treat them alike.
struct avx512_registers {
  using bytes = __m512i;
  using mask = __mmask64;
  static constexpr std::size_t lanes = 64;

  static bytes load(const void* from) { return _mm512_loadu_si512(from); }
  static void store(void* to, bytes x) { _mm512_storeu_si512(to, x); }
  static bytes fill(std::int8_t byte) { return _mm512_set1_epi8(byte); }
  static bytes add(bytes a, bytes b) { return _mm512_add_epi8(a, b); }
  static bytes both(bytes a, bytes b) { return _mm512_and_si512(a, b); }
  static mask above(bytes a, bytes b) { return _mm512_cmpgt_epi8_mask(a, b); }
  template <unsigned Bit>
  static bytes set_bit(bytes x, mask where) {
    return _mm512_mask_add_epi8(x, where, x, fill(static_cast<std::int8_t>(1U << Bit)));
  }
  template <unsigned Bit>
  static mask bit(bytes x) {
    return _mm512_test_epi8_mask(x, fill(static_cast<std::int8_t>(1U << Bit)));
  }
  static bytes pick(mask where, bytes no, bytes yes) { return _mm512_mask_blend_epi8(where, no, yes); }
};

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

/// Adds the numbers below the exits to the sums.
inline void gather_exits(const byte_heap& heap, const byte_tile& tile) {
  for (std::size_t row = 0; row < tile.blocks * 64; row += 16) {
    auto path = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(tile.low + row)));
    if (heap.depth > 8) {
      const auto high = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(tile.high + row)));
      path = _mm512_or_si512(path, _mm512_slli_epi32(high, 8));
    }
    const auto leaves = _mm512_i32gather_ps(path, heap.exits, 4);
    _mm512_storeu_ps(tile.sums + row, _mm512_add_ps(_mm512_loadu_ps(tile.sums + row), leaves));
  }
}

} // namespace

} // namespace penstock::ml
