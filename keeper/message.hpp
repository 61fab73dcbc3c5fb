// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "keeper/restart_policy.hpp"

#include <string>
#include <string_view>

namespace penstock::keeper {

/// `exit code 1`, `watchdog, exit code 86`, `signal 9, Killed`, `out of memory`: for people.
[[nodiscard]] std::string describe(const death& how);

/// `0.004 s`, `1.5 s`, `120 s`, for people.
[[nodiscard]] std::string describe(duration value);

/// Writes one line to standard error: text on a terminal, otherwise JSON with `ts level event msg` and, when there is
/// one, the `cause`. What base/logging.hpp writes, without its weight.
void say(const char* level, const char* event, const std::string& text, const std::string& cause = {});

/// The JSON form of such a line, without line feed.
/// @param wall_seconds  since 1970
[[nodiscard]] std::string json_line(long wall_seconds, int milliseconds, std::string_view level, std::string_view event,
                                    std::string_view text, std::string_view cause);

} // namespace penstock::keeper
