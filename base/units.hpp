// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace penstock {

/// Durations are kept in nanoseconds; `500us`, `500ms`, `10s`, `5m`, `2h`, `7d` on the outside.
using duration = std::chrono::nanoseconds;

/// Reads a duration with its unit. A number without unit, a negative one or another unit is `errc::invalid`.
[[nodiscard]] result<duration> parse_duration(std::string_view text);

/// Reads a size in bytes: `512`, `64KiB`, `64MiB`, `2GiB`, also `kB MB GB`. `errc::invalid` otherwise or above 2⁶³−1.
[[nodiscard]] result<std::uint64_t> parse_size(std::string_view text);

/// Reads a rate per second: `100/s`, `6000/m`, `1/h`; from one in 11 days to 10⁹ a second. `errc::invalid` otherwise,
/// also for zero.
[[nodiscard]] result<double> parse_rate(std::string_view text);

/// Reads a percentage or fraction, `20%` or `0.2`, as a fraction in [0, 1].
[[nodiscard]] result<double> parse_fraction(std::string_view text);

/// `1h 02m`, `2m 05s`, `1.5s`, `12ms`, `3.4us`: at most two parts, for people.
[[nodiscard]] std::string format_duration(duration value);

/// `1.5 MiB`, for people.
[[nodiscard]] std::string format_size(std::uint64_t bytes);

/// `12,345,678`, for people.
[[nodiscard]] std::string format_count(std::uint64_t value);

} // namespace penstock
