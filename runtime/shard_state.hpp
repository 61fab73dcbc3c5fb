// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "runtime/running_metrics.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::runtime {

/// What a shard keeps of one input partition, under `shard_task::state_key`. Written by every commit that moves the
/// partition, so it survives whatever the log survives and speaks of exactly the records below `next`.
struct shard_state {
  /// Verdicts beyond this many are forgotten, oldest first.
  static constexpr std::size_t kept_verdicts = 64;

  running_metrics metrics;
  std::uint64_t generation = 0;      ///< of the model that scored last; never falls; 0 = none yet
  std::int64_t generation_from = 0;  ///< first offset that it scored
  std::int64_t next = 0;             ///< committed input offset
  std::uint64_t skipped = 0;         ///< offsets lost to retention under `on_gap: skip`
  std::vector<wall_time> verdicts{}; ///< when crash suspects were condemned, ascending

  /// Versioned durable form. `decode` refuses a newer version (`errc::configuration`) and damage (`errc::invalid`).
  [[nodiscard]] std::string encode() const;
  [[nodiscard]] static result<shard_state> decode(std::string_view bytes);
  bool operator==(const shard_state&) const = default;
};

} // namespace penstock::runtime
