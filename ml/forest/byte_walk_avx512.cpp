// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/byte_walk.hpp"
#include "ml/forest/byte_walk_lanes.hpp"

#include <cstddef>
#include <cstdint>

#if defined(__x86_64__)
#include "ml/forest/byte_avx512.hpp"

#include <immintrin.h>

namespace penstock::ml {

namespace {

/// Permutes of bytes out of sixteen, the same sixteen in all quarters of a register.
struct avx512 {
  using bytes = __m512i;
  using mask = __mmask64;
  static constexpr std::size_t lanes = 64;
  static constexpr unsigned index_bits = 4;
  static constexpr bool pairs = false;
  static constexpr bool fuses = false;

  static bytes load(const void* from) { return _mm512_loadu_si512(from); }
  static void store(void* to, bytes x) { _mm512_storeu_si512(to, x); }
  static bytes fill(std::int8_t byte) { return _mm512_set1_epi8(byte); }
  static bytes part(const std::uint8_t* from) {
    return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  }
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
  static bytes index(bytes path) { return both(path, fill(15)); }
  static bytes look_up(bytes table, bytes index) { return _mm512_shuffle_epi8(table, index); }
};

} // namespace

const byte_functions byte_functions_avx512{"avx512",     avx512::lanes, 14, encode<avx512_codes>,
                                           walk<avx512>, gather_exits};

} // namespace penstock::ml
#endif
