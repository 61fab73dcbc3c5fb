// SPDX-License-Identifier: Apache-2.0
#include "runtime/watchdog_policy.hpp"

#include <algorithm>

namespace penstock::runtime {

std::optional<watchdog_policy::verdict> watchdog_policy::look(const std::vector<const pulse*>& pulses, time_point now) {
  const bool paused = last_look_ && now - *last_look_ > pause;
  last_look_ = now;
  if (paused) {
    resumed_ = now;
    return std::nullopt;
  }
  for (const auto* p : pulses) {
    const auto since = p->busy_since.load(std::memory_order_relaxed);
    if (since == 0 || p->limit <= duration::zero())
      continue;
    const auto busy = now - std::max(time_point(duration(since)), resumed_);
    if (busy > p->limit)
      return verdict{p->actor, busy};
  }
  return std::nullopt;
}

} // namespace penstock::runtime
