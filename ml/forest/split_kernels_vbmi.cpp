// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/split_kernels.hpp"

#include <immintrin.h>

namespace penstock::ml {

namespace {

constexpr std::size_t stride = sorted_rows::stride;
constexpr unsigned width = 64; ///< rows in a register of bytes

inline __m512i load(const std::uint8_t* from) {
  return _mm512_loadu_si512(from);
}
inline __mmask64 first(unsigned count) {
  return count >= width ? ~__mmask64{0} : (__mmask64{1} << count) - 1;
}

/// Bytes of a table of 64, 128 or 256 by number. `Tables`: 1, 2 or 4 registers of it.
template <unsigned Tables>
inline __m512i look_up(const std::uint8_t* table, __m512i numbers) {
  if constexpr (Tables == 1) {
    return _mm512_permutexvar_epi8(numbers, load(table));
  } else {
    const __m512i low = _mm512_permutex2var_epi8(load(table), numbers, load(table + 64));
    if constexpr (Tables == 2) {
      return low;
    } else {
      const __m512i high = _mm512_permutex2var_epi8(load(table + 128), numbers, load(table + 192));
      return _mm512_mask_mov_epi8(low, _mm512_movepi8_mask(numbers), high);
    }
  }
}

/// Calls `work` with the number of table registers that so many rows need, as a constant.
template <class Work>
inline void with_tables(unsigned rows, Work work) {
  if (rows <= 64) {
    work.template operator()<1>();
  } else if (rows <= 128) {
    work.template operator()<2>();
  } else {
    work.template operator()<4>();
  }
}

inline unsigned put(std::uint8_t* to, __mmask64 which, __m512i bytes) {
  // Compressing into a register and storing all of it is many times faster than compressing into memory.
  _mm512_storeu_si512(to, _mm512_maskz_compress_epi8(which, bytes));
  return static_cast<unsigned>(_mm_popcnt_u64(which));
}

// -- turn ------------------------------------------------------------------------

/// Eight rows of eight codes as eight features of eight codes.
inline void turn_block(const std::uint8_t* from, unsigned row_stride, std::uint8_t* to, unsigned features) {
  const __m512i offsets = _mm512_mullo_epi64(_mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7), _mm512_set1_epi64(row_stride));
  const __m512i rows = _mm512_i64gather_epi64(offsets, from, 1);
  const __m512i eights = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
  const __m512i by = _mm512_or_si512(_mm512_set1_epi64(0x3830282018100800), // byte i of every row
                                     _mm512_mullo_epi64(eights, _mm512_set1_epi64(0x0101010101010101)));
  alignas(64) std::uint64_t columns[8];
  _mm512_store_si512(columns, _mm512_permutexvar_epi8(by, rows));
  for (unsigned feature = 0; feature < features; ++feature, to += stride) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_cvtsi64_si128(static_cast<long long>(columns[feature])));
  }
}

void turn(sorted_rows& rows) {
  for (unsigned feature = 0; feature < rows.features; feature += 8) {
    const auto features = rows.features - feature < 8 ? rows.features - feature : 8;
    for (unsigned row = 0; row < rows.rows; row += 8) {
      turn_block(rows.codes_by_row + row * rows.row_stride + feature, rows.row_stride,
                 rows.codes + feature * stride + row, features);
    }
  }
  for (unsigned row = 0; row < rows.rows; row += 16) {
    const __m512i payload = _mm512_load_si512(rows.payload + row);
    for (unsigned byte = 0; byte < 4; ++byte) {
      _mm_store_si128(reinterpret_cast<__m128i*>(rows.planes[byte] + row),
                      _mm512_cvtepi32_epi8(_mm512_srli_epi32(payload, 8 * byte)));
    }
  }
}

// -- sort ------------------------------------------------------------------------

/// One pass of a radix sort by a single bit: rows of which it is 0, then those of which it is 1, in their order.
inline void sort_by_bit(unsigned bit, unsigned rows, const std::uint8_t* numbers, const std::uint8_t* codes,
                        std::uint8_t* numbers_to, std::uint8_t* codes_to) {
  const __m512i tested = _mm512_set1_epi8(static_cast<char>(1U << bit));
  alignas(64) std::uint8_t one_numbers[256 + width];
  alignas(64) std::uint8_t one_codes[256 + width];
  unsigned zeros = 0;
  unsigned ones = 0;
  for (unsigned i = 0; i < rows; i += width) {
    const __mmask64 here = first(rows - i);
    const __m512i number = load(numbers + i);
    const __m512i code = load(codes + i);
    const __mmask64 one = _mm512_mask_test_epi8_mask(here, code, tested);
    const __mmask64 zero = here & ~one;
    put(numbers_to + zeros, zero, number);
    zeros += put(codes_to + zeros, zero, code);
    put(one_numbers + ones, one, number);
    ones += put(one_codes + ones, one, code);
  }
  for (unsigned i = 0; i < ones; i += width) {
    _mm512_storeu_si512(numbers_to + zeros + i, load(one_numbers + i));
    _mm512_storeu_si512(codes_to + zeros + i, load(one_codes + i));
  }
}

/// By counting, eight features side by side: their chains of loads and stores do not wait for each other, and the
/// places of all eight are summed up in one word, of which no byte overflows.
void sort_all(sorted_rows& rows, unsigned first_feature) {
  constexpr unsigned lanes = 8;
  alignas(64) std::uint8_t places[256 * lanes];
  for (unsigned i = 0; i < sizeof(places); i += width) {
    _mm512_store_si512(places + i, _mm512_setzero_si512());
  }
  const auto* codes = rows.codes_by_row + first_feature;
  for (unsigned row = 0; row < rows.rows; ++row, codes += rows.row_stride) {
#pragma GCC unroll 8
    for (unsigned lane = 0; lane < lanes; ++lane) {
      ++places[codes[lane] * lanes + lane];
    }
  }
  __m512i before = _mm512_setzero_si512();
  const __m512i none = _mm512_setzero_si512();
  for (unsigned i = 0; i < sizeof(places); i += width) {
    const __m512i counts = _mm512_load_si512(places + i);
    __m512i sums = _mm512_add_epi8(counts, _mm512_alignr_epi64(counts, none, 7));
    sums = _mm512_add_epi8(sums, _mm512_alignr_epi64(sums, none, 6));
    sums = _mm512_add_epi8(sums, _mm512_alignr_epi64(sums, none, 4));
    _mm512_store_si512(places + i, _mm512_add_epi8(before, _mm512_sub_epi8(sums, counts)));
    before = _mm512_add_epi8(before, _mm512_permutexvar_epi64(_mm512_set1_epi64(7), sums));
  }
  // Row and code in one store.
  alignas(64) std::uint16_t pairs[lanes][256 + width];
  codes = rows.codes_by_row + first_feature;
  for (unsigned row = 0; row < rows.rows; ++row, codes += rows.row_stride) {
#pragma GCC unroll 8
    for (unsigned lane = 0; lane < lanes; ++lane) {
      const unsigned code = codes[lane];
      pairs[lane][places[code * lanes + lane]++] = static_cast<std::uint16_t>(code << 8 | row);
    }
  }
  const auto features = rows.features - first_feature < lanes ? rows.features - first_feature : lanes;
  for (unsigned lane = 0; lane < features; ++lane) {
    auto* order = rows.order + (first_feature + lane) * stride;
    auto* sorted_codes = rows.sorted_codes + (first_feature + lane) * stride;
    for (unsigned i = 0; i < rows.rows; i += 32) {
      const __m512i pair = _mm512_loadu_si512(pairs[lane] + i);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(order + i), _mm512_cvtepi16_epi8(pair));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(sorted_codes + i),
                          _mm512_cvtepi16_epi8(_mm512_srli_epi16(pair, 8)));
    }
  }
}

void sort(sorted_rows& rows, const sorted_node& node, unsigned from, unsigned feature) {
  alignas(64) std::uint8_t numbers[2][2 * 256];
  alignas(64) std::uint8_t codes[2][2 * 256];
  const auto* source = rows.order + from * stride + node.begin;
  __m512i differing = _mm512_setzero_si512();
  with_tables(rows.rows, [&]<unsigned Tables>() {
    const __m512i some = _mm512_set1_epi8(static_cast<char>(rows.codes[feature * stride + source[0]]));
    for (unsigned i = 0; i < node.rows; i += width) {
      const __m512i number = load(source + i);
      const __m512i code = look_up<Tables>(rows.codes + feature * stride, number);
      _mm512_store_si512(numbers[0] + i, number);
      _mm512_store_si512(codes[0] + i, code);
      differing = _mm512_or_si512(differing, _mm512_maskz_mov_epi8(first(node.rows - i), _mm512_xor_si512(code, some)));
    }
  });
  unsigned at = 0;
  for (unsigned bit = 0; bit < 8; ++bit) {
    if (_mm512_test_epi8_mask(differing, _mm512_set1_epi8(static_cast<char>(1U << bit))) == 0) {
      continue; // the same in all of them
    }
    sort_by_bit(bit, node.rows, numbers[at], codes[at], numbers[1 - at], codes[1 - at]);
    at = 1 - at;
  }
  auto* order = rows.order + feature * stride + node.begin;
  auto* sorted_codes = rows.sorted_codes + feature * stride + node.begin;
  for (unsigned i = 0; i < node.rows; i += width) {
    const __mmask64 here = first(node.rows - i);
    _mm512_mask_storeu_epi8(order + i, here, load(numbers[at] + i));
    _mm512_mask_storeu_epi8(sorted_codes + i, here, load(codes[at] + i));
  }
}

// -- divide ----------------------------------------------------------------------

/// Which numbers go left. Code 255 wraps around to 0 when missing values do.
template <unsigned Tables>
inline __mmask64 answers(const sorted_rows& rows, const question& asked, __mmask64 here, __m512i numbers) {
  const auto shift = static_cast<std::uint8_t>(asked.missing_left ? 1 : 0);
  const __m512i codes = look_up<Tables>(rows.codes + asked.feature * stride, numbers);
  return _mm512_mask_cmple_epu8_mask(here, _mm512_add_epi8(codes, _mm512_set1_epi8(static_cast<char>(shift))),
                                     _mm512_set1_epi8(static_cast<char>(asked.cut + shift)));
}

/// Stores the chosen bytes side by side and nothing else, for a sparing mask.
inline void put_only(std::uint8_t* to, __mmask64 which, unsigned count, __m512i bytes) {
  _mm512_mask_storeu_epi8(to, first(count), _mm512_maskz_compress_epi8(which, bytes));
}

/// A node whose rows fit a register.
template <unsigned Tables>
inline unsigned divide_short_list(const sorted_rows& rows, unsigned count, const question& asked, std::uint8_t* order,
                                  std::uint8_t* codes) {
  const __mmask64 here = first(count);
  const __m512i number = load(order);
  const __m512i code = load(codes);
  const __mmask64 goes_left = answers<Tables>(rows, asked, here, number);
  const __mmask64 goes_right = here & ~goes_left;
  const auto left = static_cast<unsigned>(_mm_popcnt_u64(goes_left));
  put_only(order, goes_left, left, number);
  put_only(codes, goes_left, left, code);
  put_only(order + left, goes_right, count - left, number);
  put_only(codes + left, goes_right, count - left, code);
  return left;
}

template <unsigned Tables>
unsigned divide_list(const sorted_rows& rows, unsigned count, const question& asked, std::uint8_t* order,
                     std::uint8_t* codes) {
  if (count <= width) {
    return divide_short_list<Tables>(rows, count, asked, order, codes);
  }
  alignas(64) std::uint8_t right_order[256 + width];
  alignas(64) std::uint8_t right_codes[256 + width];
  unsigned left = 0;
  unsigned right = 0;
  for (unsigned i = 0; i < count; i += width) {
    const __mmask64 here = first(count - i);
    const __m512i number = load(order + i);
    const __m512i code = load(codes + i);
    const __mmask64 goes_left = answers<Tables>(rows, asked, here, number);
    const __mmask64 goes_right = here & ~goes_left;
    // What is stored on the left lies before what is still to be read, and the mask spares the next node.
    const auto some = static_cast<unsigned>(_mm_popcnt_u64(goes_left));
    put_only(order + left, goes_left, some, number);
    put_only(codes + left, goes_left, some, code);
    left += some;
    put(right_order + right, goes_right, number);
    right += put(right_codes + right, goes_right, code);
  }
  for (unsigned i = 0; i < right; i += width) {
    const __mmask64 here = first(right - i);
    _mm512_mask_storeu_epi8(order + left + i, here, load(right_order + i));
    _mm512_mask_storeu_epi8(codes + left + i, here, load(right_codes + i));
  }
  return left;
}

unsigned divide(sorted_rows& rows, const sorted_node& node, unsigned first_list, unsigned last, const question& asked) {
  unsigned left = 0;
  with_tables(rows.rows, [&]<unsigned Tables>() {
    for (unsigned list = first_list; list < last; ++list) {
      left = divide_list<Tables>(rows, node.rows, asked, rows.order + list * stride + node.begin,
                                 rows.sorted_codes + list * stride + node.begin);
    }
  });
  return left;
}

// -- find ------------------------------------------------------------------------

/// Best candidates so far, in sixteen lanes, each the first among equals; `place` is the feature and, in the low byte,
/// the row after which to split.
struct lanes_best {
  __m512 gain = _mm512_setzero_ps();
  __m512i place = _mm512_setzero_si512();
  __m512i left = _mm512_setzero_si512();
};

struct node_lanes {
  __m512i samples;
  __m512i sum;
  __m512i least;
};

/// As `split_gain`, with the same roundings; 32 bits hold every number of a small node. No candidate has an empty side.
template <bool OneIsEnough>
inline void consider(const node_lanes& node, __mmask16 allowed, __m512i left, __m512i place, lanes_best& best) {
  const __m512i n_left = _mm512_and_si512(left, _mm512_set1_epi32(255));
  const __m512i n_right = _mm512_sub_epi32(node.samples, n_left);
  if constexpr (!OneIsEnough) {
    allowed = _mm512_mask_cmpge_epi32_mask(allowed, n_left, node.least);
    allowed = _mm512_mask_cmpge_epi32_mask(allowed, n_right, node.least);
  }
  const __m512i difference = _mm512_sub_epi32(_mm512_mullo_epi32(node.samples, _mm512_srli_epi32(left, 8)),
                                              _mm512_mullo_epi32(node.sum, n_left));
  const __m512 rounded = _mm512_cvtepi32_ps(difference);
  const __m512 sides = _mm512_mul_ps(_mm512_cvtepi32_ps(n_left), _mm512_cvtepi32_ps(n_right));
  const __m512 gain = _mm512_div_ps(_mm512_mul_ps(rounded, rounded), sides);
  const __mmask16 better = _mm512_mask_cmp_ps_mask(allowed, gain, best.gain, _CMP_GT_OQ);
  best.gain = _mm512_mask_mov_ps(best.gain, better, gain);
  best.place = _mm512_mask_mov_epi32(best.place, better, place);
  best.left = _mm512_mask_mov_epi32(best.left, better, left);
}

/// Four numbers of 32 bits for each 4 × 4 block of bytes: register q has in lane l of each 128 bits the bytes of place
/// 4·l + q, so that a sum over places runs down the four registers and then over few lanes.
struct quarters {
  __m512i at[4];
};

template <unsigned Tables>
inline quarters payloads(const sorted_rows& rows, __m512i turned) {
  const __m512i byte0 = look_up<Tables>(rows.planes[0], turned);
  const __m512i byte1 = look_up<Tables>(rows.planes[1], turned);
  const __m512i byte2 = look_up<Tables>(rows.planes[2], turned);
  const __m512i byte3 = look_up<Tables>(rows.planes[3], turned);
  const __m512i low01 = _mm512_unpacklo_epi8(byte0, byte1);
  const __m512i low23 = _mm512_unpacklo_epi8(byte2, byte3);
  const __m512i high01 = _mm512_unpackhi_epi8(byte0, byte1);
  const __m512i high23 = _mm512_unpackhi_epi8(byte2, byte3);
  return {{_mm512_unpacklo_epi16(low01, low23), _mm512_unpackhi_epi16(low01, low23),
           _mm512_unpacklo_epi16(high01, high23), _mm512_unpackhi_epi16(high01, high23)}};
}

/// Turns each 4 × 4 block of bytes: byte 4q + l of 16 becomes byte 4l + q.
inline __m512i turn(__m512i bytes) {
  const __m128i by = _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return _mm512_shuffle_epi8(bytes, _mm512_broadcast_i32x4(by));
}

/// Number of each byte within its `Rows` (16, 32 or 64), turned.
template <unsigned Rows>
inline __m512i turned_places() {
  const __m128i four = _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  const __m512i lane = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
  const __m512i before = _mm512_slli_epi32(_mm512_and_si512(lane, _mm512_set1_epi32(Rows / 16 - 1)), 4);
  return _mm512_add_epi8(_mm512_broadcast_i32x4(four), _mm512_mullo_epi32(before, _mm512_set1_epi32(0x01010101)));
}

/// Sums of the lanes before each lane, within the lanes that share `Rows` places.
template <unsigned Rows>
inline __m512i sums_before(__m512i totals) {
  __m512i sums = _mm512_add_epi32(totals, _mm512_bslli_epi128(totals, 4));
  sums = _mm512_add_epi32(sums, _mm512_bslli_epi128(sums, 8));
  if constexpr (Rows >= 32) { // the lower 128 bits of each 256 into the upper
    const __m512i last = _mm512_shuffle_epi32(sums, _MM_PERM_DDDD);
    const __m512i moved = _mm512_maskz_shuffle_i64x2(0b11001100, last, last, 0b10100000);
    sums = _mm512_add_epi32(sums, moved);
  }
  if constexpr (Rows == 64) { // the lower 256 bits into the upper
    const __m512i last = _mm512_permutexvar_epi32(_mm512_set1_epi32(7), sums);
    sums = _mm512_mask_add_epi32(sums, 0xFF00, sums, last);
  }
  return _mm512_sub_epi32(sums, totals);
}

/// Numbers of rows, their codes and the codes behind them, of as many lists as fit a register.
struct gathered {
  __m512i numbers;
  __m512i codes;
  __m512i next_codes;
};

template <unsigned Rows>
inline __m512i gather(const std::uint8_t* list, unsigned lists) {
  if constexpr (Rows == 64) {
    (void)lists;
    return load(list);
  } else if constexpr (Rows == 32) {
    const auto* second = list + (lists > 1 ? stride : 0);
    return _mm512_inserti64x4(_mm512_castsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(list))),
                              _mm256_loadu_si256(reinterpret_cast<const __m256i*>(second)), 1);
  } else {
    const auto part = [&](unsigned i) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(list + (i < lists ? i * stride : 0)));
    };
    const __m256i low = _mm256_inserti128_si256(_mm256_castsi128_si256(part(0)), part(1), 1);
    const __m256i high = _mm256_inserti128_si256(_mm256_castsi128_si256(part(2)), part(3), 1);
    return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
  }
}

/// Looks at one register of rows, of `lists` lists from `feature` on; `carried` is what lies to the left of it.
template <unsigned Tables, bool OneIsEnough, unsigned Rows>
inline __m512i find_in_register(const sorted_rows& rows, const node_lanes& node, unsigned place, unsigned rows_left,
                                unsigned done, unsigned feature, unsigned lists, __m512i carried, lanes_best& best) {
  constexpr unsigned in_register = width / Rows;
  const auto* order = rows.order + feature * stride + place;
  const auto* codes = rows.sorted_codes + feature * stride + place;
  const __m512i places = turned_places<Rows>();
  quarters sums = payloads<Tables>(rows, turn(gather<Rows>(order, lists)));
  sums.at[1] = _mm512_add_epi32(sums.at[0], sums.at[1]);
  sums.at[2] = _mm512_add_epi32(sums.at[1], sums.at[2]);
  sums.at[3] = _mm512_add_epi32(sums.at[2], sums.at[3]);
  const __m512i before = _mm512_add_epi32(sums_before<Rows>(sums.at[3]), carried);
  // A place is a candidate when another code follows it within the node.
  __mmask64 borders = _mm512_cmpneq_epu8_mask(turn(gather<Rows>(codes, lists)), turn(gather<Rows>(codes + 1, lists)));
  const unsigned candidates = rows_left - 1 < width ? rows_left - 1 : width;
  borders = _mm512_mask_cmplt_epu8_mask(borders, places, _mm512_set1_epi8(static_cast<char>(candidates)));
  if constexpr (in_register > 1) {
    borders &= first(lists * Rows);
  }
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i of_list = _mm512_srli_epi32(lane, Rows == 16 ? 2 : Rows == 32 ? 3 : 4);
  const __m512i in_list = _mm512_slli_epi32(_mm512_and_si512(lane, _mm512_set1_epi32(Rows / 4 - 1)), 2);
  const __m512i key =
      _mm512_add_epi32(_mm512_slli_epi32(_mm512_add_epi32(of_list, _mm512_set1_epi32(static_cast<int>(feature))), 8),
                       _mm512_add_epi32(in_list, _mm512_set1_epi32(static_cast<int>(done))));
  for (unsigned q = 0; q < 4; ++q) {
    const auto allowed = static_cast<__mmask16>(_pext_u64(borders, 0x000F000F000F000FULL << (4 * q)));
    sums.at[q] = _mm512_add_epi32(sums.at[q], before);
    consider<OneIsEnough>(node, allowed, sums.at[q], _mm512_add_epi32(key, _mm512_set1_epi32(static_cast<int>(q))),
                          best);
  }
  return _mm512_permutexvar_epi32(_mm512_set1_epi32(15), sums.at[3]);
}

template <unsigned Tables, bool OneIsEnough>
void find_in_lists(const sorted_rows& rows, const sorted_node& node, unsigned first_list, unsigned last,
                   const node_lanes& of_node, lanes_best& found) {
  const node_lanes lanes = of_node;
  lanes_best best;
  const __m512i none = _mm512_setzero_si512();
  if (node.rows <= 16) {
    for (unsigned feature = first_list; feature < last; feature += 4) {
      find_in_register<Tables, OneIsEnough, 16>(rows, lanes, node.begin, node.rows, 0, feature,
                                                last - feature < 4 ? last - feature : 4, none, best);
    }
  } else if (node.rows <= 32) {
    for (unsigned feature = first_list; feature < last; feature += 2) {
      find_in_register<Tables, OneIsEnough, 32>(rows, lanes, node.begin, node.rows, 0, feature,
                                                last - feature < 2 ? last - feature : 2, none, best);
    }
  } else {
    for (unsigned feature = first_list; feature < last; ++feature) {
      __m512i carried = none;
      for (unsigned done = 0; done + 1 < node.rows; done += width) {
        carried = find_in_register<Tables, OneIsEnough, 64>(rows, lanes, node.begin + done, node.rows - done, done,
                                                            feature, 1, carried, best);
      }
    }
  }
  found = best;
}

void find(const sorted_rows& rows, const sorted_node& node, unsigned first_list, unsigned last, std::uint32_t least,
          sorted_best& best) {
  best = {};
  const unsigned samples = node.all & 255;
  if (least > samples) {
    return;
  }
  const node_lanes lanes{_mm512_set1_epi32(static_cast<int>(samples)),
                         _mm512_set1_epi32(static_cast<int>(node.all >> 8)),
                         _mm512_set1_epi32(static_cast<int>(least))};
  lanes_best found;
  with_tables(rows.rows, [&]<unsigned Tables>() {
    (least == 1 ? find_in_lists<Tables, true> : find_in_lists<Tables, false>)(rows, node, first_list, last, lanes,
                                                                              found);
  });
  best.gain = _mm512_reduce_max_ps(found.gain);
  if (!(best.gain > 0)) {
    return;
  }
  const __mmask16 equal = _mm512_cmp_ps_mask(found.gain, _mm512_set1_ps(best.gain), _CMP_EQ_OQ);
  const auto place = _mm512_mask_reduce_min_epu32(equal, found.place);
  const __mmask16 chosen = _mm512_mask_cmpeq_epu32_mask(equal, found.place, _mm512_set1_epi32(static_cast<int>(place)));
  best.feature = place >> 8;
  best.left_rows = (place & 255) + 1;
  best.left = static_cast<std::uint32_t>(_mm512_mask_reduce_or_epi32(chosen, found.left));
}

} // namespace

const sorted_kernels sorted_vbmi{turn, sort_all, sort, find, divide};

} // namespace penstock::ml
