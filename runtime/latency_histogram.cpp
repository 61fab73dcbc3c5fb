// SPDX-License-Identifier: Apache-2.0
#include "runtime/latency_histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace penstock::runtime {

std::size_t latency_histogram::bucket_of(std::uint64_t nanoseconds) {
  if (nanoseconds < steps)
    return static_cast<std::size_t>(nanoseconds);
  const auto shift = static_cast<unsigned>(std::bit_width(nanoseconds)) - 1 - step_bits;
  return shift * steps + static_cast<std::size_t>(nanoseconds >> shift);
}

std::uint64_t latency_histogram::middle_of(std::size_t bucket) {
  if (bucket < steps)
    return bucket;
  const auto shift = bucket / steps - 1;
  const auto first = std::uint64_t{bucket % steps + steps} << shift;
  return first + (std::uint64_t{1} << shift) / 2;
}

void latency_histogram::record(duration value) {
  const auto bounded = std::clamp(value, duration::zero(), longest);
  ++counts_[bucket_of(static_cast<std::uint64_t>(bounded.count()))];
  ++count_;
}

void latency_histogram::merge(const latency_histogram& other) {
  for (std::size_t i = 0; i < buckets; ++i)
    counts_[i] += other.counts_[i];
  count_ += other.count_;
}

duration latency_histogram::quantile(double q) const {
  if (count_ == 0)
    return duration::zero();
  const auto share = std::ceil(std::clamp(q, 0.0, 1.0) * static_cast<double>(count_));
  const auto rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(share), 1, count_);
  std::uint64_t below = 0;
  std::size_t bucket = 0;
  while ((below += counts_[bucket]) < rank)
    ++bucket;
  return duration(static_cast<std::int64_t>(middle_of(bucket)));
}

} // namespace penstock::runtime
