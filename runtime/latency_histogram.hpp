// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/units.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace penstock::runtime {

/// Counts durations in buckets that grow with the duration, for quantiles at a fixed cost: 32 buckets for each power of
/// two of nanoseconds, as in HdrHistogram. A quantile is at most 1/64 (1.6 %) away from the duration that was recorded.
/// Durations beyond `longest` count as `longest`, negative ones as zero. 9 KiB; no allocation. One owner, not
/// thread-safe.
class latency_histogram {
public:
  static constexpr duration longest{(std::int64_t{1} << 40) - 1}; ///< about 18 minutes

  void record(duration value);
  /// Adds what another one has counted.
  void merge(const latency_histogram& other);

  /// The smallest duration that at least the share `q` of all is not above (nearest rank), to the bucket's middle;
  /// zero when nothing was recorded.
  /// @param q  in [0, 1]; 1 is the longest one
  [[nodiscard]] duration quantile(double q) const;
  [[nodiscard]] std::uint64_t count() const { return count_; }

private:
  static constexpr unsigned step_bits = 5; ///< 2⁵ buckets for each power of two
  static constexpr std::size_t steps = std::size_t{1} << step_bits;
  static constexpr std::size_t buckets = (40 - step_bits + 1) * steps;

  [[nodiscard]] static std::size_t bucket_of(std::uint64_t nanoseconds);
  [[nodiscard]] static std::uint64_t middle_of(std::size_t bucket);

  std::array<std::uint64_t, buckets> counts_{};
  std::uint64_t count_ = 0;
};

} // namespace penstock::runtime
