// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace penstock::ml {

/// The random numbers of a forest. Each is a function of (seed, tree, node) alone, so that neither threads nor the
/// order of growth can change a model.

/// Mixes all bits of a number (the finaliser of SplitMix64: Steele, Lea, Flood, OOPSLA 2014).
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

[[nodiscard]] constexpr std::uint64_t tree_key(std::uint64_t seed, std::uint64_t tree) {
  return mix(mix(seed) ^ tree);
}
[[nodiscard]] constexpr std::uint64_t root_key(std::uint64_t tree_key) {
  return mix(~tree_key);
}
[[nodiscard]] constexpr std::uint64_t left_key(std::uint64_t node_key) {
  return mix(node_key ^ 1);
}
[[nodiscard]] constexpr std::uint64_t right_key(std::uint64_t node_key) {
  return mix(node_key ^ 2);
}

/// SplitMix64.
class random_stream {
public:
  explicit constexpr random_stream(std::uint64_t key) : state_(key) {}

  /// Below n, which is at most 2³²; evenly but for a bias of n / 2³².
  [[nodiscard]] constexpr std::uint32_t below(std::uint64_t n) {
    return static_cast<std::uint32_t>(((next() >> 32) * n) >> 32);
  }

  /// 64 bits.
  [[nodiscard]] constexpr std::uint64_t next() {
    const auto drawn = mix(state_);
    state_ += 0x9E3779B97F4A7C15U;
    return drawn;
  }

private:
  std::uint64_t state_;
};

} // namespace penstock::ml
