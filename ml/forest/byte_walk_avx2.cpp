// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/byte_walk.hpp"
#include "ml/forest/byte_walk_lanes.hpp"

#include <cstddef>
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>

namespace penstock::ml {

namespace {

/// Permutes of bytes out of sixteen, the same sixteen in both halves of a register. Of a mask only the highest bit of
/// each byte counts.
struct avx2 {
  using bytes = __m256i;
  using mask = __m256i;
  static constexpr std::size_t lanes = 32;
  static constexpr unsigned index_bits = 4;
  static constexpr bool pairs = false;
  static constexpr bool fuses = false;

  static bytes load(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }
  static void store(void* to, bytes x) { _mm256_storeu_si256(static_cast<__m256i*>(to), x); }
  static bytes fill(std::int8_t byte) { return _mm256_set1_epi8(byte); }
  static bytes part(const std::uint8_t* from) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  }
  static bytes add(bytes a, bytes b) { return _mm256_add_epi8(a, b); }
  static bytes both(bytes a, bytes b) { return _mm256_and_si256(a, b); }
  static mask above(bytes a, bytes b) { return _mm256_cmpgt_epi8(a, b); }
  template <unsigned Bit>
  static bytes set_bit(bytes x, mask where) {
    return _mm256_or_si256(x, both(where, fill(static_cast<std::int8_t>(1U << Bit))));
  }
  template <unsigned Bit>
  static mask bit(bytes x) {
    return Bit == 7 ? x : _mm256_slli_epi16(x, 7 - Bit);
  }
  static bytes pick(mask where, bytes no, bytes yes) { return _mm256_blendv_epi8(no, yes, where); }
  static bytes index(bytes path) { return both(path, fill(15)); }
  static bytes look_up(bytes table, bytes index) { return _mm256_shuffle_epi8(table, index); }
};

void gather_exits(const byte_heap& heap, const byte_tile& tile) {
  for (std::size_t row = 0; row < tile.blocks * avx2::lanes; row += 8) {
    auto path = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(tile.low + row)));
    if (heap.depth > 8) {
      const auto high = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(tile.high + row)));
      path = _mm256_or_si256(path, _mm256_slli_epi32(high, 8));
    }
    const auto leaves = _mm256_i32gather_ps(reinterpret_cast<const float*>(heap.exits), path, 4);
    _mm256_storeu_ps(tile.sums + row, _mm256_add_ps(_mm256_loadu_ps(tile.sums + row), leaves));
  }
}

struct avx2_codes {
  /// Thresholds below a value, by comparing it with sixteen at a time.
  static byte_code code_of(const byte_thresholds& of, float value) {
    const auto x = _mm256_set1_ps(value);
    const auto coarse = twice_below(of.coarse, x);
    return static_cast<byte_code>(8 * coarse + twice_below(of.fine + 8 * coarse, x) / 2 - 128);
  }

  static bool any_missing(const float* values, std::size_t count) {
    auto missing = _mm256_setzero_ps();
    for (; count >= 8; values += 8, count -= 8) {
      const auto some = _mm256_loadu_ps(values);
      missing = _mm256_or_ps(missing, _mm256_cmp_ps(some, some, _CMP_UNORD_Q));
    }
    bool one = _mm256_movemask_ps(missing) != 0;
    for (; count != 0; ++values, --count) {
      one |= *values != *values;
    }
    return one;
  }

private:
  static int twice_below(const float* sixteen, __m256 x) {
    const auto low = _mm256_cmp_ps(x, _mm256_loadu_ps(sixteen), _CMP_GT_OQ);
    const auto high = _mm256_cmp_ps(x, _mm256_loadu_ps(sixteen + 8), _CMP_GT_OQ);
    const auto both = _mm256_packs_epi32(_mm256_castps_si256(low), _mm256_castps_si256(high));
    return __builtin_popcount(static_cast<unsigned>(_mm256_movemask_epi8(both)));
  }
};

} // namespace

const byte_functions byte_functions_avx2{"avx2", avx2::lanes, 10, encode<avx2_codes>, walk<avx2>, gather_exits};

} // namespace penstock::ml
#endif
