// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace penstock::logging {

enum class level : std::uint8_t { debug, info, warning, error };

/// One field of a log line. Names are those of the conventions: node actor application shard partition offset epoch …
struct field {
  std::string_view name;
  std::string value;
};

enum class format : std::uint8_t { text, json };

/// Sets where lines go (standard error) and how. Called once by main before any thread starts; the defaults are text on
/// a terminal, otherwise JSON lines, level info.
void configure(format how, level least);
[[nodiscard]] format default_format();
void set_level(level least);

/// Reports the repeats that were held back. Happens by itself at the next line and at exit; call it before `_exit`.
void flush();

/// Writes a line with `ts level event msg` and the fields. `event` is a stable dotted name such as `actor.restarted`.
/// Repeats of the same event and message within a second are counted, and the count follows as one line with
/// the field `repeats`. Thread-safe; what is written survives a crash of the process.
void write(level severity, std::string_view event, std::string_view message, std::initializer_list<field> fields = {});

inline void debug(std::string_view event, std::string_view message, std::initializer_list<field> fields = {}) {
  write(level::debug, event, message, fields);
}
inline void info(std::string_view event, std::string_view message, std::initializer_list<field> fields = {}) {
  write(level::info, event, message, fields);
}
inline void warning(std::string_view event, std::string_view message, std::initializer_list<field> fields = {}) {
  write(level::warning, event, message, fields);
}
inline void error(std::string_view event, std::string_view message, std::initializer_list<field> fields = {}) {
  write(level::error, event, message, fields);
}

} // namespace penstock::logging
