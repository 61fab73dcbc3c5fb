// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/split_kernels.hpp"

#include <immintrin.h>

namespace penstock::ml {

namespace {

/// What does not change from bin to bin.
struct node_lanes {
  __m512i samples;      ///< in 64-bit lanes
  __m512i sum;          ///< in 64-bit lanes
  __m512 short_samples; ///< in 32-bit lanes, as are the rest
  __m512 least;
};

/// n·S_left − S·n_left of eight features in float32, rounded once.
inline __m256 difference(const node_lanes& node, __m512i left, __m512i n_left) {
  return _mm512_cvtepi64_ps(_mm512_sub_epi64(_mm512_mullo_epi64(node.samples, _mm512_srli_epi64(left, 24)),
                                             _mm512_mullo_epi64(node.sum, n_left)));
}

/// As `split_gain`, with the same roundings, for two bins of eight features; not allowed ones keep `best`. Numbers of
/// samples are exact in float32. An empty side has a gain of 0/0, which `max` passes over, so that it needs no look
/// where one sample is enough.
template <bool OneIsEnough>
inline __m512 better_gains(const node_lanes& node, __m512i first, __m512i second, __m512 best) {
  const __m512i samples = _mm512_set1_epi64(0xFFFFFF);
  const __m512i n_first = _mm512_and_si512(first, samples);
  const __m512i n_second = _mm512_and_si512(second, samples);
  const __m512i low_halves = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  const __m512 n_left = _mm512_cvtepi32_ps(_mm512_permutex2var_epi32(n_first, low_halves, n_second));
  const __m512 n_right = _mm512_sub_ps(node.short_samples, n_left);
  const __m512 rounded = _mm512_insertf32x8(_mm512_castps256_ps512(difference(node, first, n_first)),
                                            difference(node, second, n_second), 1);
  const __m512 gain = _mm512_div_ps(_mm512_mul_ps(rounded, rounded), _mm512_mul_ps(n_left, n_right));
  if constexpr (OneIsEnough) {
    return _mm512_max_ps(gain, best);
  } else {
    const __mmask16 allowed =
        _mm512_cmp_ps_mask(n_left, node.least, _CMP_GE_OQ) & _mm512_cmp_ps_mask(n_right, node.least, _CMP_GE_OQ);
    return _mm512_mask_max_ps(best, allowed, gain, best);
  }
}

/// Lanes 0 … 7 have the even bins, 8 … 15 the odd ones.
template <bool OneIsEnough>
void scan(const std::uint64_t* cells, unsigned bins, const node_lanes& of_node, group_best& best) {
  const node_lanes node = of_node;
  __m512 gains = _mm512_setzero_ps();
  __m512i blocks = _mm512_setzero_si512();
  __m512i left = _mm512_setzero_si512();
  // A few bins too many: a histogram has 256, and behind the last value's bin all rows are on the left.
  for (unsigned first_bin = 0; first_bin < bins; first_bin += group_best::block) {
    __m512 in_block = _mm512_setzero_ps();
    for (unsigned i = 0; i < group_best::block; i += 2, cells += 16) {
      const __m512i first = _mm512_add_epi64(left, _mm512_loadu_si512(cells));
      left = _mm512_add_epi64(first, _mm512_loadu_si512(cells + 8));
      in_block = better_gains<OneIsEnough>(node, first, left, in_block);
    }
    const __mmask16 better = _mm512_cmp_ps_mask(in_block, gains, _CMP_GT_OQ);
    gains = _mm512_max_ps(in_block, gains);
    blocks = _mm512_mask_mov_epi32(blocks, better, _mm512_set1_epi32(static_cast<int>(first_bin)));
  }
  alignas(64) float gain[16];
  alignas(64) std::uint32_t first_of[16];
  _mm512_store_ps(gain, gains);
  _mm512_store_si512(first_of, blocks);
  for (unsigned even = 0; even < 8; ++even) {
    const auto odd = even + 8;
    const bool take_odd = gain[odd] > gain[even] || (gain[odd] == gain[even] && first_of[odd] < first_of[even]);
    best.gain[even] = gain[take_odd ? odd : even];
    best.first[even] = static_cast<std::uint8_t>(first_of[take_odd ? odd : even]);
  }
}

} // namespace

void scan_avx512(const std::uint64_t* cells, unsigned bins, std::uint64_t all, std::uint32_t least, group_best& best) {
  const auto samples = static_cast<long long>(all & 0xFFFFFF);
  const node_lanes node{_mm512_set1_epi64(samples), _mm512_set1_epi64(static_cast<long long>(all >> 24)),
                        _mm512_set1_ps(static_cast<float>(samples)), _mm512_set1_ps(static_cast<float>(least))};
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
