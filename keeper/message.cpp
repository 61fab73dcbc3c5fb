// SPDX-License-Identifier: Apache-2.0
#include "keeper/message.hpp"

#include <array>
#include <cstdio>
#include <cstring>
#include <ctime>

#include <unistd.h>

namespace penstock::keeper {

namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      (out += '\\') += c;
    else if (c >= ' ' && c < 0x7F)
      out += c;
    else
      out += '?';
  }
  return out += '"';
}

} // namespace

std::string describe(const death& how) {
  switch (how.how) {
  case death::kind::none:
    return "nothing";
  case death::kind::oom:
    return "out of memory";
  case death::kind::killed: {
    const char* name = ::sigdescr_np(how.value);
    return "signal " + std::to_string(how.value) + ", " + (name == nullptr ? "unknown" : name);
  }
  case death::kind::exited:
    break;
  }
  const auto code = "exit code " + std::to_string(how.value);
  return how.value == watchdog_exit_code ? "watchdog, " + code : code;
}

std::string describe(duration value) {
  const double seconds = std::chrono::duration<double>(value).count();
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), seconds < 1 ? "%.3f s" : seconds < 10 ? "%.1f s" : "%.0f s", seconds);
  return text.data();
}

std::string json_line(long wall_seconds, int milliseconds, std::string_view level, std::string_view event,
                      std::string_view text, std::string_view cause) {
  const std::time_t seconds = wall_seconds;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> day{};
  std::array<char, 48> time{};
  std::strftime(day.data(), day.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(time.data(), time.size(), "%s.%03dZ", day.data(), milliseconds);
  auto out = "{\"ts\":" + quoted(time.data()) + ",\"level\":" + quoted(level) + ",\"event\":" + quoted(event) +
             ",\"msg\":" + quoted(text);
  if (!cause.empty())
    out += ",\"cause\":" + quoted(cause);
  return out += '}';
}

void say(const char* level, const char* event, const std::string& text, const std::string& cause) {
  const auto message = "penstock-keeper: " + text;
  std::timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const auto line = (::isatty(STDERR_FILENO) == 1 ? message
                                                  : json_line(now.tv_sec, static_cast<int>(now.tv_nsec / 1'000'000),
                                                              level, event, message, cause)) +
                    "\n";
  // A standard error that is gone is no reason to leave the child alone.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

} // namespace penstock::keeper
