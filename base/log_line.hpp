// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.hpp"
#include "base/logging.hpp"

#include <span>
#include <string>
#include <string_view>

namespace penstock::logging {

/// What one line says.
struct line {
  level severity = level::info;
  wall_time time = 0;
  std::string_view event;
  std::string_view message;
  std::span<const field> fields;
};

/// The line as one JSON object and a line feed. `shard partition offset epoch version incarnation` become numbers when
/// they are whole numbers, all others strings; bytes that are no UTF-8 become U+FFFD.
[[nodiscard]] std::string as_json(const line& what);

/// The line for people: time of day (UTC), level, message, event, fields. Control characters are escaped, so that no
/// payload can drive the terminal.
/// @param colour  mark warnings and errors with ANSI colours
[[nodiscard]] std::string as_text(const line& what, bool colour);

} // namespace penstock::logging
