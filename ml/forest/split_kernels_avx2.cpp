// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/split_kernels.hpp"

#include <immintrin.h>

namespace penstock::ml {

// -- large nodes ---------------------------------------------------------------

namespace {

/// The same number in the low halves of 64-bit lanes.
inline __m256i wide(std::uint64_t number) {
  return _mm256_set1_epi64x(static_cast<long long>(number));
}

/// n·S_left − S·n_left of four features in float32, rounded once: all factors fit 32 bits and the difference, below
/// 2⁴⁷, is exact in the float64 that its bits are turned into.
inline __m128 differences(__m256i samples, __m256i sum, __m256i left, __m256i n_left) {
  const __m256i difference =
      _mm256_sub_epi64(_mm256_mul_epu32(samples, _mm256_srli_epi64(left, 24)), _mm256_mul_epu32(sum, n_left));
  const __m256d magic = _mm256_set1_pd(6755399441055744.0); // 1.5 · 2⁵²: its last bit counts ones
  return _mm256_cvtpd_ps(
      _mm256_sub_pd(_mm256_castsi256_pd(_mm256_add_epi64(difference, _mm256_castpd_si256(magic))), magic));
}

/// The low halves of eight 64-bit lanes.
inline __m256i narrow(__m256i first, __m256i second) {
  const __m256 mixed = _mm256_shuffle_ps(_mm256_castsi256_ps(first), _mm256_castsi256_ps(second), 0b10001000);
  return _mm256_permute4x64_epi64(_mm256_castps_si256(mixed), 0b11011000);
}

} // namespace

void scan_avx2(const std::uint64_t* cells, unsigned bins, std::uint64_t all, std::uint32_t least, group_best& best) {
  const std::uint64_t samples = all & 0xFFFFFF;
  if (samples > 0xFFFF) {
    return scan_portable(cells, bins, all, least, best); // sums do not fit 32 bits
  }
  const __m256i in_node = wide(samples);
  const __m256i sum = wide(all >> 24);
  const __m256i sample_mask = wide(0xFFFFFF);
  const __m256i few = _mm256_set1_epi32(static_cast<int>(least) - 1);
  __m256i left[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
  __m256 gains = _mm256_setzero_ps();
  __m256 blocks = _mm256_setzero_ps();
  for (unsigned first = 0; first < bins; first += group_best::block) {
    __m256 in_block = _mm256_setzero_ps();
    for (unsigned i = 0; i < group_best::block; ++i, cells += 8) {
      const auto* of_bin = reinterpret_cast<const __m256i*>(cells);
      left[0] = _mm256_add_epi64(left[0], _mm256_loadu_si256(of_bin));
      left[1] = _mm256_add_epi64(left[1], _mm256_loadu_si256(of_bin + 1));
      const __m256i n_left[2] = {_mm256_and_si256(left[0], sample_mask), _mm256_and_si256(left[1], sample_mask)};
      const __m256 rounded =
          _mm256_set_m128(differences(in_node, sum, left[1], n_left[1]), differences(in_node, sum, left[0], n_left[0]));
      const __m256i on_left = narrow(n_left[0], n_left[1]);
      const __m256i on_right = _mm256_sub_epi32(_mm256_set1_epi32(static_cast<int>(samples)), on_left);
      const __m256 gain = _mm256_div_ps(_mm256_mul_ps(rounded, rounded),
                                        _mm256_mul_ps(_mm256_cvtepi32_ps(on_left), _mm256_cvtepi32_ps(on_right)));
      const __m256i allowed = _mm256_and_si256(_mm256_cmpgt_epi32(on_left, few), _mm256_cmpgt_epi32(on_right, few));
      in_block = _mm256_max_ps(in_block, _mm256_and_ps(gain, _mm256_castsi256_ps(allowed)));
    }
    const __m256 better = _mm256_cmp_ps(in_block, gains, _CMP_GT_OQ);
    gains = _mm256_max_ps(gains, in_block);
    blocks = _mm256_blendv_ps(blocks, _mm256_set1_ps(static_cast<float>(first)), better);
  }
  alignas(32) std::int32_t first_of[8];
  _mm256_store_si256(reinterpret_cast<__m256i*>(first_of), _mm256_cvttps_epi32(blocks));
  _mm256_storeu_ps(best.gain, gains);
  for (unsigned lane = 0; lane < 8; ++lane) {
    best.first[lane] = static_cast<std::uint8_t>(first_of[lane]);
  }
}

// -- small nodes ---------------------------------------------------------------

namespace {

constexpr std::size_t stride = sorted_rows::stride;
constexpr unsigned lanes = 8;

/// Candidates of one list: where another code follows, the payloads so far and the place.
struct candidates {
  alignas(32) std::uint32_t left[256 + lanes];
  alignas(32) std::uint32_t place[256 + lanes];
  unsigned count;
};

inline void collect(const sorted_rows& rows, const sorted_node& node, unsigned feature, candidates& into) {
  const auto* order = rows.order + feature * stride + node.begin;
  const auto* codes = rows.sorted_codes + feature * stride + node.begin;
  std::uint32_t left = 0;
  unsigned count = 0;
  for (unsigned i = 0; i + 1 < node.rows; ++i) {
    left += rows.payload[order[i]];
    into.left[count] = left;
    into.place[count] = feature << 8 | i;
    count += codes[i] != codes[i + 1] ? 1 : 0;
  }
  into.count = count;
}

/// Best candidates so far, in eight lanes, each the first among equals.
struct lanes_best {
  __m256 gain = _mm256_setzero_ps();
  __m256i place = _mm256_setzero_si256();
  __m256i left = _mm256_setzero_si256();
};

/// As `split_gain`, with the same roundings; 32 bits hold every number of a small node.
inline void consider(std::uint32_t all, std::uint32_t least, const candidates& some, lanes_best& best) {
  const __m256i in_node = _mm256_set1_epi32(static_cast<int>(all & 255));
  const __m256i sum = _mm256_set1_epi32(static_cast<int>(all >> 8));
  const __m256i few = _mm256_set1_epi32(static_cast<int>(least) - 1);
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  for (unsigned i = 0; i < some.count; i += lanes) {
    const __m256i left = _mm256_load_si256(reinterpret_cast<const __m256i*>(some.left + i));
    const __m256i place = _mm256_load_si256(reinterpret_cast<const __m256i*>(some.place + i));
    const __m256i n_left = _mm256_and_si256(left, _mm256_set1_epi32(255));
    const __m256i n_right = _mm256_sub_epi32(in_node, n_left);
    const __m256i difference =
        _mm256_sub_epi32(_mm256_mullo_epi32(in_node, _mm256_srli_epi32(left, 8)), _mm256_mullo_epi32(sum, n_left));
    const __m256 rounded = _mm256_cvtepi32_ps(difference);
    const __m256 gain = _mm256_div_ps(_mm256_mul_ps(rounded, rounded),
                                      _mm256_mul_ps(_mm256_cvtepi32_ps(n_left), _mm256_cvtepi32_ps(n_right)));
    const __m256i here = _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(some.count - i)), lane);
    const __m256i allowed =
        _mm256_and_si256(here, _mm256_and_si256(_mm256_cmpgt_epi32(n_left, few), _mm256_cmpgt_epi32(n_right, few)));
    const __m256 better = _mm256_and_ps(_mm256_cmp_ps(gain, best.gain, _CMP_GT_OQ), _mm256_castsi256_ps(allowed));
    best.gain = _mm256_blendv_ps(best.gain, gain, better);
    best.place = _mm256_blendv_epi8(best.place, place, _mm256_castps_si256(better));
    best.left = _mm256_blendv_epi8(best.left, left, _mm256_castps_si256(better));
  }
}

void find(const sorted_rows& rows, const sorted_node& node, unsigned first, unsigned last, std::uint32_t least,
          sorted_best& best) {
  best = {};
  if (least > (node.all & 255)) {
    return;
  }
  candidates some;
  lanes_best found;
  for (unsigned feature = first; feature < last; ++feature) {
    collect(rows, node, feature, some);
    consider(node.all, least, some, found);
  }
  alignas(32) float gain[lanes];
  alignas(32) std::uint32_t place[lanes];
  alignas(32) std::uint32_t left[lanes];
  _mm256_store_ps(gain, found.gain);
  _mm256_store_si256(reinterpret_cast<__m256i*>(place), found.place);
  _mm256_store_si256(reinterpret_cast<__m256i*>(left), found.left);
  std::uint32_t best_place = 0;
  for (unsigned lane = 0; lane < lanes; ++lane) {
    if (gain[lane] > best.gain || (gain[lane] == best.gain && best.gain > 0 && place[lane] < best_place)) {
      best_place = place[lane];
      best = {gain[lane], best_place >> 8, (best_place & 255) + 1, left[lane]};
    }
  }
}

void turn(sorted_rows& rows) {
  sorted_portable.turn(rows);
}
void sort(sorted_rows& rows, const sorted_node& node, unsigned from, unsigned feature) {
  sorted_portable.sort(rows, node, from, feature);
}
unsigned divide(sorted_rows& rows, const sorted_node& node, unsigned first, unsigned last, const question& asked) {
  return sorted_portable.divide(rows, node, first, last, asked);
}

} // namespace

const sorted_kernels sorted_avx2{turn, sort_all_lists, sort, find, divide};

} // namespace penstock::ml
