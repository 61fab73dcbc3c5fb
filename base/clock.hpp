// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace penstock {

/// Monotonic time: for intervals, timeouts, backoff. Every core class takes it as an argument `now`.
using time_point = std::chrono::steady_clock::time_point;

/// Wall time in milliseconds since 1970 (UTC): for record timestamps and what people read. May jump.
using wall_time = std::int64_t;

/// The two clocks of the outside world. Cores never own one; shells read it and hand the time in.
class clock {
public:
  virtual ~clock() = default;
  [[nodiscard]] virtual time_point now() const = 0;
  [[nodiscard]] virtual wall_time wall() const = 0;
};

/// The clocks of the operating system. Thread-safe.
[[nodiscard]] const clock& system_clock();

/// `2026-01-31T12:00:00.123Z` (RFC 3339).
[[nodiscard]] std::string format_wall(wall_time time);

} // namespace penstock
