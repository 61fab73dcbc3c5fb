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

/// Permutes of single bytes out of 64 or 128.
struct vbmi : avx512_registers {
  static constexpr unsigned index_bits = 6;
  static constexpr bool pairs = true;
  static constexpr bool fuses = true;

  static bytes part(const std::uint8_t* from) { return _mm512_loadu_si512(from); }
  static bytes index(bytes path) { return path; }
  static bytes look_up(bytes table, bytes index) { return _mm512_permutexvar_epi8(index, table); }
  static bytes look_up(bytes low, bytes high, bytes index) { return _mm512_permutex2var_epi8(low, index, high); }
};

constexpr std::size_t plane_size = std::size_t{1} << deepest_byte_heap;

struct byte_orders {
  std::uint8_t split[2][64]; ///< out of 32 numbers: all first bytes and all second ones, all third and all fourth ones
  std::uint8_t rows[64];     ///< so that unpacking, which works within 16 bytes, leaves the rows in their order
};
constexpr byte_orders make_orders() {
  byte_orders orders{};
  for (unsigned i = 0; i < 32; ++i) {
    for (unsigned byte = 0; byte < 4; ++byte) {
      orders.split[byte / 2][byte % 2 * 32 + i] = static_cast<std::uint8_t>(4 * i + byte);
    }
  }
  for (unsigned i = 0; i < 64; ++i) {
    orders.rows[i] = static_cast<std::uint8_t>(i / 4 % 4 * 16 + i / 16 * 4 + i % 4);
  }
  return orders;
}
alignas(64) constexpr auto orders = make_orders();

/// The float32 below the exits as planes: 4×2^Depth bytes, the lowest byte of each first.
template <unsigned Depth>
void split_exits(const byte_heap& heap, std::uint8_t* planes) {
  constexpr std::size_t places = std::size_t{1} << Depth;
  const auto bytes01 = vbmi::load(orders.split[0]);
  const auto bytes23 = vbmi::load(orders.split[1]);
  for (std::size_t exit = 0; exit < places; exit += 64) {
    const auto some = [&](std::size_t number) {
      return number * 16 < places ? vbmi::load(heap.exits + exit + number * 16) : vbmi::fill(0);
    };
    const auto store = [&](std::size_t plane, __m512i x) { vbmi::store(planes + plane * plane_size + exit, x); };
    const auto low01 = vbmi::look_up(some(0), some(1), bytes01);
    const auto low23 = vbmi::look_up(some(0), some(1), bytes23);
    const auto high01 = vbmi::look_up(some(2), some(3), bytes01);
    const auto high23 = vbmi::look_up(some(2), some(3), bytes23);
    store(0, _mm512_shuffle_i64x2(low01, high01, 0x44));
    store(1, _mm512_shuffle_i64x2(low01, high01, 0xEE));
    store(2, _mm512_shuffle_i64x2(low23, high23, 0x44));
    store(3, _mm512_shuffle_i64x2(low23, high23, 0xEE));
  }
}

/// Looked up byte by byte: for many rows.
template <unsigned Depth>
void add_planes(const byte_heap& heap, const byte_tile& tile) {
  constexpr auto lanes = vbmi::lanes;
  alignas(64) std::uint8_t planes[4 * plane_size];
  alignas(64) std::uint8_t found[byte_tile::most_rows * 4];
  split_exits<Depth>(heap, planes);
  for (std::size_t plane = 0; plane < 4; ++plane) {
    const auto table = load_table<vbmi, parts<vbmi>(Depth)>(planes + plane * plane_size);
    for (std::size_t block = 0; block < tile.blocks; ++block) {
      const auto low = vbmi::load(tile.low + block * lanes);
      const auto high = Depth > 8 ? vbmi::load(tile.high + block * lanes) : low;
      vbmi::store(found + (block * 4 + plane) * lanes, look_up<vbmi, Depth>(table, place_of<vbmi, Depth>(low, high)));
    }
  }
  const auto rows = vbmi::load(orders.rows);
  for (std::size_t block = 0; block < tile.blocks; ++block) {
    const auto* bytes = found + block * 4 * lanes;
    const auto in_order = [&](std::size_t plane) { return vbmi::look_up(vbmi::load(bytes + plane * lanes), rows); };
    const auto a = in_order(0);
    const auto b = in_order(1);
    const auto c = in_order(2);
    const auto d = in_order(3);
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
  // With few blocks, gathering costs less than to split a tree's exits into planes.
  constexpr std::size_t few = 2;
  if (tile.blocks > few) {
    by_depth[heap.depth - top_levels](heap, tile);
  } else {
    gather_exits(heap, tile);
  }
}

} // namespace

const byte_functions byte_functions_avx512_vbmi{"avx512_vbmi", vbmi::lanes, 7, encode<avx512_codes>, walk<vbmi>, add};

} // namespace penstock::ml
#endif
