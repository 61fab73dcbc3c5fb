// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.hpp"
#include "base/units.hpp"

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace penstock::runtime {

/// One actor's sign of life, written by the actor (two plain stores a message) and looked at by the watchdog's thread.
struct pulse {
  std::string actor;                       ///< address
  duration limit{};                        ///< a message that takes longer means stuck
  std::atomic<std::int64_t> busy_since{0}; ///< nanoseconds of the steady clock; 0 = idle
};

/// Decides which actor has work and makes no progress. Pure; `now` comes with the call. A stuck handler cannot be
/// stopped from outside, so the verdict ends the process (with `exit_code`) and the keeper starts it again.
class watchdog_policy {
public:
  static constexpr int exit_code = 86;

  struct verdict {
    std::string actor;
    duration busy{};
  };
  /// The first stuck actor, if any. The whole process having been paused (two looks further apart than `pause`) acquits
  /// all until the next look.
  [[nodiscard]] std::optional<verdict> look(const std::vector<const pulse*>& pulses, time_point now);

private:
  static constexpr duration pause = std::chrono::seconds{3};
  std::optional<time_point> last_look_;
};

} // namespace penstock::runtime
