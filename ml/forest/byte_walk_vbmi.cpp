// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/byte_walk.hpp"
#include "ml/forest/byte_walk_lanes.hpp"

#include <cstddef>
#include <cstdint>

#if defined(__x86_64__)
#include "ml/forest/byte_codes_avx512.hpp"

#include <immintrin.h>

namespace penstock::ml {

namespace {

/// Permutes of single bytes out of 64 or 128.
struct vbmi {
  using bytes = __m512i;
  using mask = __mmask64;
  static constexpr std::size_t lanes = 64;
  static constexpr unsigned index_bits = 6;
  static constexpr bool pairs = true;
  static constexpr bool fuses = true;

  static bytes load(const void* from) { return _mm512_loadu_si512(from); }
  static void store(void* to, bytes x) { _mm512_storeu_si512(to, x); }
  static bytes fill(std::int8_t byte) { return _mm512_set1_epi8(byte); }
  static bytes part(const std::uint8_t* from) { return _mm512_loadu_si512(from); }
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
  static bytes index(bytes path) { return path; }
  static bytes look_up(bytes table, bytes index) { return _mm512_permutexvar_epi8(index, table); }
  static bytes look_up(bytes low, bytes high, bytes index) { return _mm512_permutex2var_epi8(low, index, high); }
};

/// Unpacking bytes to numbers works within 16-byte lanes: the sums of a register of 16 are those of four rows each of
/// four lanes.
constexpr std::uint8_t sum_order[64] = {0,  1,  2,  3,  16, 17, 18, 19, 32, 33, 34, 35, 48, 49, 50, 51,
                                        4,  5,  6,  7,  20, 21, 22, 23, 36, 37, 38, 39, 52, 53, 54, 55,
                                        8,  9,  10, 11, 24, 25, 26, 27, 40, 41, 42, 43, 56, 57, 58, 59,
                                        12, 13, 14, 15, 28, 29, 30, 31, 44, 45, 46, 47, 60, 61, 62, 63};

/// The float32 below the exits, looked up byte by byte.
template <unsigned Depth>
void add_planes(const byte_heap& heap, const byte_tile& tile) {
  constexpr auto lanes = vbmi::lanes;
  alignas(64) std::uint8_t found[byte_tile::most_rows * 4];
  for (std::size_t plane = 0; plane < 4; ++plane) {
    const auto table = load_table<vbmi, parts<vbmi>(Depth)>(heap.planes + (plane << Depth));
    for (std::size_t block = 0; block < tile.blocks; ++block) {
      const auto low = vbmi::load(tile.low + block * lanes);
      const auto high = Depth > 8 ? vbmi::load(tile.high + block * lanes) : low;
      vbmi::store(found + (block * 4 + plane) * lanes, look_up<vbmi, Depth>(table, place_of<vbmi, Depth>(low, high)));
    }
  }
  for (std::size_t block = 0; block < tile.blocks; ++block) {
    const auto* bytes = found + block * 4 * lanes;
    const auto a = vbmi::load(bytes);
    const auto b = vbmi::load(bytes + lanes);
    const auto c = vbmi::load(bytes + 2 * lanes);
    const auto d = vbmi::load(bytes + 3 * lanes);
    const auto low01 = _mm512_unpacklo_epi8(a, b);
    const auto high01 = _mm512_unpackhi_epi8(a, b);
    const auto low23 = _mm512_unpacklo_epi8(c, d);
    const auto high23 = _mm512_unpackhi_epi8(c, d);
    float* sums = tile.sums + block * lanes;
    const auto add = [&](std::size_t at, __m512i leaves) {
      _mm512_storeu_ps(sums + at, _mm512_add_ps(_mm512_loadu_ps(sums + at), _mm512_castsi512_ps(leaves)));
    };
    add(0, _mm512_unpacklo_epi16(low01, low23));
    add(16, _mm512_unpackhi_epi16(low01, low23));
    add(32, _mm512_unpacklo_epi16(high01, high23));
    add(48, _mm512_unpackhi_epi16(high01, high23));
  }
}

void add(const byte_heap& heap, const byte_tile& tile) {
  static constexpr decltype(&add_planes<4>) by_depth[] = {add_planes<4>, add_planes<5>, add_planes<6>, add_planes<7>,
                                                          add_planes<8>, add_planes<9>, add_planes<10>};
  by_depth[heap.depth - top_levels](heap, tile);
}

} // namespace

const byte_functions byte_functions_avx512_vbmi{"avx512_vbmi",        vbmi::lanes, sum_order, true,
                                                encode<avx512_codes>, walk<vbmi>,  add};

} // namespace penstock::ml
#endif
