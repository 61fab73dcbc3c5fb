// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/sample_kernels.hpp"

#include <immintrin.h>

namespace penstock::ml {

namespace {

constexpr std::uint64_t step = 0x9E3779B97F4A7C15U;

inline __m512i all_lanes(std::uint64_t number) {
  return _mm512_set1_epi64(static_cast<long long>(number));
}

/// `mix` of eight numbers.
inline __m512i mix(__m512i x) {
  x = _mm512_add_epi64(x, all_lanes(step));
  x = _mm512_mullo_epi64(_mm512_xor_si512(x, _mm512_srli_epi64(x, 30)), all_lanes(0xBF58476D1CE4E5B9U));
  x = _mm512_mullo_epi64(_mm512_xor_si512(x, _mm512_srli_epi64(x, 27)), all_lanes(0x94D049BB133111EBU));
  return _mm512_xor_si512(x, _mm512_srli_epi64(x, 31));
}

} // namespace

std::uint32_t draw_avx512(std::uint64_t key, std::uint32_t rows, std::uint32_t draws, std::uint8_t* counts) {
  constexpr std::uint32_t block = 256;
  const __m512i below = all_lanes(rows);
  __m512i state =
      _mm512_add_epi64(all_lanes(key), _mm512_mullo_epi64(_mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7), all_lanes(step)));
  for (std::uint32_t first = 0; first < draws; first += block) {
    // A block at a time, so that the counting finds its rows stored.
    alignas(64) std::uint32_t drawn[block];
    for (std::uint32_t i = 0; i < block; i += 8) {
      const __m512i row = _mm512_mul_epu32(_mm512_srli_epi64(mix(state), 32), below);
      _mm256_store_si256(reinterpret_cast<__m256i*>(drawn + i), _mm512_cvtepi64_epi32(_mm512_srli_epi64(row, 32)));
      state = _mm512_add_epi64(state, all_lanes(8 * step));
    }
    const auto some = draws - first < block ? draws - first : block;
    for (std::uint32_t i = 0; i < some; ++i) {
      ++counts[drawn[i]];
    }
  }
  std::uint64_t found = 0;
  for (std::uint32_t i = 0; i < rows; i += 64) {
    const auto here = rows - i >= 64 ? ~__mmask64{0} : (__mmask64{1} << (rows - i)) - 1;
    const __m512i some = _mm512_maskz_loadu_epi8(here, counts + i);
    found += static_cast<std::uint64_t>(_mm_popcnt_u64(_mm512_test_epi8_mask(some, some)));
  }
  return static_cast<std::uint32_t>(found);
}

namespace {

/// Sums of cells, from payloads of 32 bits.
inline __m512i cells_of(__m512i payloads) {
  const auto widen = [](__m256i half) {
    const __m512i payload = _mm512_cvtepu32_epi64(half);
    return _mm512_add_epi64(_mm512_slli_epi64(_mm512_srli_epi64(payload, 8), 24),
                            _mm512_and_si512(payload, all_lanes(255)));
  };
  return _mm512_add_epi64(widen(_mm512_castsi512_si256(payloads)), widen(_mm512_extracti64x4_epi64(payloads, 1)));
}

} // namespace

std::uint32_t gather_avx512(const std::uint8_t* counts, const std::uint16_t* targets, const float* deviations,
                            const std::uint8_t* codes, std::uint32_t rows, const sampled_rows& drawn,
                            std::uint64_t& all) {
  constexpr std::uint32_t lanes = 16;
  __m512i sum = _mm512_setzero_si512();
  std::uint32_t found = 0;
  for (std::uint32_t i = 0; i < rows; i += lanes) {
    const auto here = static_cast<__mmask16>(rows - i >= lanes ? 0xFFFF : (1U << (rows - i)) - 1);
    const __m512i count = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(here, counts + i));
    const __m512i target = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(here, targets + i));
    const __m512i payload = _mm512_or_si512(_mm512_slli_epi32(_mm512_mullo_epi32(count, target), 8), count);
    sum = _mm512_add_epi64(sum, cells_of(payload));
    const __mmask16 in_sample = _mm512_test_epi32_mask(count, count);
    _mm512_storeu_ps(drawn.deviations + found,
                     _mm512_maskz_compress_ps(in_sample, _mm512_maskz_loadu_ps(here, deviations + i)));
    _mm512_storeu_si512(drawn.payloads + found, _mm512_maskz_compress_epi32(in_sample, payload));
    if (drawn.stride == 8) {
      const auto low = static_cast<__mmask8>(in_sample);
      const auto high = static_cast<__mmask8>(in_sample >> 8);
      const __m512i first = _mm512_maskz_loadu_epi64(static_cast<__mmask8>(here), codes + 8 * i);
      const __m512i second = _mm512_maskz_loadu_epi64(static_cast<__mmask8>(here >> 8), codes + 8 * i + 64);
      auto* to = drawn.codes + 8 * found;
      _mm512_storeu_si512(to, _mm512_maskz_compress_epi64(low, first));
      _mm512_storeu_si512(to + 8 * _mm_popcnt_u32(low), _mm512_maskz_compress_epi64(high, second));
    } else {
      std::size_t place = found;
      for (std::uint32_t left = in_sample; left != 0; left &= left - 1, ++place) {
        const auto* from = codes + (i + _tzcnt_u32(left)) * drawn.stride;
        for (std::size_t byte = 0; byte < drawn.stride; byte += 8) {
          _mm_storel_epi64(reinterpret_cast<__m128i*>(drawn.codes + place * drawn.stride + byte),
                           _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from + byte)));
        }
      }
    }
    found += static_cast<std::uint32_t>(_mm_popcnt_u32(in_sample));
  }
  all = static_cast<std::uint64_t>(_mm512_reduce_add_epi64(sum));
  return found;
}

} // namespace penstock::ml
