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
struct avx512 : avx512_registers {
  static constexpr unsigned index_bits = 4;
  static constexpr bool pairs = false;
  static constexpr bool fuses = false;

  static bytes part(const std::uint8_t* from) {
    return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  }
  static bytes index(bytes path) { return both(path, fill(15)); }
  static bytes look_up(bytes table, bytes index) { return _mm512_shuffle_epi8(table, index); }
};

} // namespace

const byte_functions byte_functions_avx512{"avx512",     avx512::lanes, 14, encode<avx512_codes>,
                                           walk<avx512>, gather_exits};

} // namespace penstock::ml
#endif
