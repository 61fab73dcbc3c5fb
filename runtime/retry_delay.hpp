// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/units.hpp"

#include <algorithm>

namespace penstock::runtime {

/// Delays between attempts: the first one, doubled each time up to two seconds, from the start again after a success.
class retry_delay {
public:
  static constexpr duration longest = std::chrono::seconds{2};

  explicit retry_delay(duration first) : first_(first), next_(first) {}

  [[nodiscard]] duration next() {
    const auto now = next_;
    next_ = std::max(now, std::min(now * 2, longest));
    return now;
  }
  void succeeded() { next_ = first_; }

private:
  duration first_;
  duration next_;
};

} // namespace penstock::runtime
