// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penstock {

/// Decides which log lines are written: the first of each key, and then none of that key for a second, whose number is
/// reported afterwards. Pure decision, not thread-safe; `now` comes with every call. Remembers at most 1,024 keys;
/// lines beyond them all pass.
class repeat_limiter {
public:
  /// Lines that were held back since the line of the same key.
  struct held_back {
    std::string key;
    std::uint64_t count = 0;
    std::uint8_t severity = 0;
    bool operator==(const held_back&) const = default;
  };

  /// True when the line is to be written. Call `due` before, or its count is lost.
  [[nodiscard]] bool pass(std::string_view key, std::uint8_t severity, time_point now);
  /// What is to be reported now, and forgets it: keys whose second is over, or all of them.
  [[nodiscard]] std::vector<held_back> due(time_point now, bool all = false);

private:
  struct window {
    time_point opened;
    std::uint64_t count = 0;
    std::uint8_t severity = 0;
  };
  std::map<std::string, window, std::less<>> windows_;
};

} // namespace penstock
