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
  duration limit{};                        ///< a message that takes longer means stuck; 0 = never
  std::atomic<std::int64_t> busy_since{0}; ///< nanoseconds of the steady clock; 0 = idle
};

/// Decides which actor has work and makes no progress. Pure; `now` comes with the call. A stuck handler cannot be
/// stopped from outside, so the verdict ends the process (with `exit_code`) and the keeper starts it again.
class watchdog_policy {
public:
  static constexpr int exit_code = 86;

  struct verdict {
    std::string actor;
    duration busy{}; ///< with the message at hand, not counting a pause of the process
  };
  /// The first stuck actor, if any. Call it about once a second. Two looks further apart than `pause` mean that the
  /// whole process stood still (SIGSTOP, a frozen machine): that acquits all, and every actor has its full limit anew
  /// from then on.
  [[nodiscard]] std::optional<verdict> look(const std::vector<const pulse*>& pulses, time_point now);

private:
  static constexpr duration pause = std::chrono::seconds{3};
  std::optional<time_point> last_look_;
  time_point resumed_ = time_point::min(); ///< the look that noticed the last pause
};

} // namespace penstock::runtime
