// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/split_kernels.hpp"

#include <immintrin.h>

namespace penstock::ml {

namespace {

/// Best candidates so far, in sixteen lanes: of each feature that of the even bins and that of the odd ones.
struct lanes_best {
  __m512 gain = _mm512_setzero_ps();
  __m512i bin = _mm512_setzero_si512();
};

/// What does not change from bin to bin.
struct node_lanes {
  __m512i samples;       ///< in 64-bit lanes
  __m512i sum;           ///< in 64-bit lanes
  __m512i least;         ///< in 32-bit lanes
  __m512i short_samples; ///< in 32-bit lanes
};

/// n·S_left − S·n_left of eight features in float32, rounded once.
inline __m256 difference(const node_lanes& node, __m512i left) {
  const __m512i n_left = _mm512_and_si512(left, _mm512_set1_epi64(0xFFFFFF));
  return _mm512_cvtepi64_ps(_mm512_sub_epi64(_mm512_mullo_epi64(node.samples, _mm512_srli_epi64(left, 24)),
                                             _mm512_mullo_epi64(node.sum, n_left)));
}

/// As `split_gain`, with the same roundings, for two bins: lane 2·f is feature f with the first of them, lane 2·f + 1
/// with the second. Lanes in which a side is too small keep their best; an empty side has a gain of 0/0, which is
/// greater than nothing, so that it needs no look where one sample is enough.
template <bool OneIsEnough>
inline void consider(const node_lanes& node, __m512i first, __m512i second, __m512i bins, lanes_best& best) {
  const __m512i n_left = _mm512_and_si512(_mm512_mask_mov_epi32(first, 0xAAAA, _mm512_slli_epi64(second, 32)),
                                          _mm512_set1_epi32(0xFFFFFF));
  const __m512i n_right = _mm512_sub_epi32(node.short_samples, n_left);
  __mmask16 allowed = 0xFFFF;
  if constexpr (!OneIsEnough) {
    allowed = _mm512_cmpge_epi32_mask(n_left, node.least) & _mm512_cmpge_epi32_mask(n_right, node.least);
  }
  const __m512i in_turn = _mm512_setr_epi32(0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
  const __m512 both = _mm512_insertf32x8(_mm512_castps256_ps512(difference(node, first)), difference(node, second), 1);
  const __m512 rounded = _mm512_permutexvar_ps(in_turn, both);
  const __m512 sides = _mm512_mul_ps(_mm512_cvtepi32_ps(n_left), _mm512_cvtepi32_ps(n_right));
  const __m512 gain = _mm512_div_ps(_mm512_mul_ps(rounded, rounded), sides);
  const __mmask16 better = _mm512_mask_cmp_ps_mask(allowed, gain, best.gain, _CMP_GT_OQ);
  best.gain = _mm512_mask_mov_ps(best.gain, better, gain);
  best.bin = _mm512_mask_mov_epi32(best.bin, better, bins);
}

/// Of equal gains the lower bin's.
inline void store_best(const lanes_best& found, group_best& best) {
  alignas(64) float gain[16];
  alignas(64) std::uint32_t bin[16];
  _mm512_store_ps(gain, found.gain);
  _mm512_store_si512(bin, found.bin);
  for (unsigned feature = 0; feature < 8; ++feature) {
    const auto even = 2 * feature;
    const auto odd = even + 1;
    const bool take_odd = gain[odd] > gain[even] || (gain[odd] == gain[even] && bin[odd] < bin[even]);
    best.gain[feature] = gain[take_odd ? odd : even];
    best.bin[feature] = static_cast<std::uint8_t>(bin[take_odd ? odd : even]);
  }
}

template <bool OneIsEnough>
void scan(const std::uint64_t* cells, unsigned bins, const node_lanes& of_node, group_best& best) {
  const node_lanes node = of_node;
  lanes_best found;
  __m512i left = _mm512_setzero_si512();
  __m512i places = _mm512_setr_epi32(0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1);
  for (unsigned bin = 0; bin < bins; bin += 2, cells += 16) {
    const __m512i first = _mm512_add_epi64(left, _mm512_loadu_si512(cells));
    // One bin too many: a histogram has 256, and behind the last value's bin all rows are on the left.
    left = _mm512_add_epi64(first, _mm512_loadu_si512(cells + 8));
    consider<OneIsEnough>(node, first, left, places, found);
    places = _mm512_add_epi32(places, _mm512_set1_epi32(2));
  }
  store_best(found, best);
}

} // namespace

void scan_avx512(const std::uint64_t* cells, unsigned bins, std::uint64_t all, std::uint32_t least, group_best& best) {
  const auto samples = static_cast<long long>(all & 0xFFFFFF);
  const node_lanes node{_mm512_set1_epi64(samples), _mm512_set1_epi64(static_cast<long long>(all >> 24)),
                        _mm512_set1_epi32(static_cast<int>(least)), _mm512_set1_epi32(static_cast<int>(samples))};
  (least == 1 ? scan<true> : scan<false>)(cells, bins, node, best);
}

void subtract_avx512(std::uint64_t* from, const std::uint64_t* what, std::size_t count) {
  for (std::size_t i = 0; i < count; i += 8) {
    _mm512_storeu_si512(from + i, _mm512_sub_epi64(_mm512_loadu_si512(from + i), _mm512_loadu_si512(what + i)));
  }
}

namespace {

/// The question, in the form of the loops: code 255 wraps around to 0 when missing values go left.
struct test {
  std::size_t feature;
  std::uint8_t shift;
  std::uint8_t reach;
  std::uint16_t turned; ///< all bits when the right side comes to the front
};

/// Where the rows of a block of 16 go. Compressing into a register and storing all of it is many times faster than
/// compressing into memory, and no store in front reaches what is still to be read. In the last block of a node a
/// mask spares the rows of the next node.
template <bool Last>
inline void divide_words(void* from, void* front, void* rest, __mmask16 here, __mmask16 stays) {
  const __m512i words = _mm512_loadu_si512(from);
  const __m512i to_front = _mm512_maskz_compress_epi32(stays, words);
  if constexpr (Last) {
    const auto stayed = static_cast<unsigned>(_mm_popcnt_u32(stays));
    _mm512_mask_storeu_epi32(front, static_cast<__mmask16>((1U << stayed) - 1), to_front);
  } else {
    _mm512_storeu_si512(front, to_front);
  }
  _mm512_storeu_si512(rest, _mm512_maskz_compress_epi32(static_cast<__mmask16>(here & ~stays), words));
}

/// The same for the codes of eight rows with eight features.
template <bool Last>
inline void divide_codes(__m512i codes, std::uint8_t* front, std::uint8_t* rest, __mmask8 here, __mmask8 stays) {
  const __m512i to_front = _mm512_maskz_compress_epi64(stays, codes);
  if constexpr (Last) {
    const auto stayed = static_cast<unsigned>(_mm_popcnt_u32(stays));
    _mm512_mask_storeu_epi64(front, static_cast<__mmask8>((1U << stayed) - 1), to_front);
  } else {
    _mm512_storeu_si512(front, to_front);
  }
  _mm512_storeu_si512(rest, _mm512_maskz_compress_epi64(static_cast<__mmask8>(here & ~stays), codes));
}

inline __mmask8 answers(__m512i codes, const test& asked) {
  const __m512i code = _mm512_add_epi64(_mm512_srl_epi64(codes, _mm_cvtsi32_si128(static_cast<int>(8 * asked.feature))),
                                        _mm512_set1_epi64(asked.shift));
  return static_cast<__mmask8>(
      _mm512_cmple_epu64_mask(_mm512_and_si512(code, _mm512_set1_epi64(255)), _mm512_set1_epi64(asked.reach)) ^
      asked.turned);
}

/// Divides the codes of a block of rows with eight features, and says which stay in front.
template <bool Last>
inline __mmask16 divide_short(std::uint8_t* codes, std::uint8_t* front, std::uint8_t* rest, __mmask16 here,
                              const test& asked) {
  const __m512i first = _mm512_loadu_si512(codes);
  const __m512i second = _mm512_loadu_si512(codes + 64);
  const auto here_second = static_cast<__mmask8>(here >> 8);
  const auto stay_first = static_cast<__mmask8>(answers(first, asked) & here);
  const auto stay_second = static_cast<__mmask8>(answers(second, asked) & here_second);
  const auto stayed = 8 * static_cast<std::size_t>(_mm_popcnt_u32(stay_first));
  divide_codes<Last>(first, front, rest, static_cast<__mmask8>(here), stay_first);
  divide_codes<Last>(second, front + stayed, rest + 64 - stayed, here_second, stay_second);
  return static_cast<__mmask16>(stay_first | stay_second << 8);
}

/// The same for rows with more features: one after the other, each to both sides; where it does not belong it is
/// written over, in front by a row that comes no earlier than it.
inline __mmask16 divide_long(std::uint8_t* codes, std::size_t stride, std::uint8_t* front, std::uint8_t* rest,
                             __mmask16 here, const test& asked) {
  const std::size_t whole = stride / 64 * 64;
  const auto tail = static_cast<__mmask8>((1U << ((stride - whole) / 8)) - 1);
  unsigned stays = 0;
  for (unsigned lane = 0; lane < 16 && (here >> lane & 1) != 0; ++lane) {
    const auto* from = codes + lane * stride;
    const bool in_front =
        (static_cast<std::uint8_t>(from[asked.feature] + asked.shift) <= asked.reach) == (asked.turned == 0);
    for (std::size_t byte = 0; byte < whole; byte += 64) {
      const __m512i some = _mm512_loadu_si512(from + byte);
      _mm512_storeu_si512(front + byte, some);
      _mm512_storeu_si512(rest + byte, some);
    }
    const __m512i some = _mm512_maskz_loadu_epi64(tail, from + whole);
    _mm512_mask_storeu_epi64(front + whole, tail, some);
    _mm512_mask_storeu_epi64(rest + whole, tail, some);
    stays |= (in_front ? 1U : 0U) << lane;
    front += in_front ? stride : 0;
    rest += in_front ? 0 : stride;
  }
  return static_cast<__mmask16>(stays);
}

template <bool Short, bool Last>
inline std::uint32_t divide_block(const sampled_rows& rows, std::size_t i, std::size_t front, const sampled_rows& rest,
                                  std::size_t others, __mmask16 here, const test& asked) {
  auto* codes = rows.codes + i * rows.stride;
  auto* front_codes = rows.codes + front * rows.stride;
  auto* rest_codes = rest.codes + others * rows.stride;
  const auto stays = Short ? divide_short<Last>(codes, front_codes, rest_codes, here, asked)
                           : divide_long(codes, rows.stride, front_codes, rest_codes, here, asked);
  divide_words<Last>(rows.payloads + i, rows.payloads + front, rest.payloads + others, here, stays);
  divide_words<Last>(rows.deviations + i, rows.deviations + front, rest.deviations + others, here, stays);
  return static_cast<std::uint32_t>(_mm_popcnt_u32(stays));
}

template <bool Short>
std::uint32_t divide_rows(const sampled_rows& rows, std::uint32_t count, const test& asked, const sampled_rows& rest) {
  constexpr std::uint32_t lanes = 16;
  std::uint32_t front = 0;
  std::uint32_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    front += divide_block<Short, false>(rows, i, front, rest, i - front, 0xFFFF, asked);
  }
  if (i < count) {
    const auto here = static_cast<__mmask16>((1U << (count - i)) - 1);
    front += divide_block<Short, true>(rows, i, front, rest, i - front, here, asked);
  }
  return front;
}

} // namespace

std::uint32_t divide_avx512(const sampled_rows& rows, std::uint32_t count, const question& asked,
                            const sampled_rows& rest) {
  const auto shift = static_cast<std::uint8_t>(asked.missing_left ? 1 : 0);
  const test tested{asked.feature, shift, static_cast<std::uint8_t>(asked.cut + shift),
                    static_cast<std::uint16_t>(asked.left_in_front ? 0 : 0xFFFF)};
  return (rows.stride == 8 ? divide_rows<true> : divide_rows<false>)(rows, count, tested, rest);
}

} // namespace penstock::ml
