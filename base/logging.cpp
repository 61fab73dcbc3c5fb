// SPDX-License-Identifier: Apache-2.0
#include "base/logging.hpp"

#include "base/log_line.hpp"
#include "base/repeat_limiter.hpp"

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <mutex>
#include <span>

#include <unistd.h>

namespace penstock::logging {

namespace {

/// One write per line, so that lines of two processes on the same pipe do not mix. A log that cannot be written is
/// dropped: there is nowhere left to say so.
void put(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(STDERR_FILENO, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

bool wants_colour() {
  const char* no_colour = std::getenv("NO_COLOR");
  return (no_colour == nullptr || *no_colour == '\0') && ::isatty(STDERR_FILENO) == 1;
}

class writer {
public:
  writer() : how_(default_format()), colour_(wants_colour()) {}

  void configure(format how) {
    const std::lock_guard lock(mutex_);
    how_ = how;
    colour_ = wants_colour();
  }

  void write(const line& what) {
    std::string key(what.event);
    (key += '\0') += what.message;
    const auto now = system_clock().now();
    const std::lock_guard lock(mutex_);
    report(now, false);
    if (repeats_.pass(key, static_cast<std::uint8_t>(what.severity), now))
      render(what);
  }

  void flush() {
    const std::lock_guard lock(mutex_);
    report(time_point{}, true);
  }

private:
  void render(const line& what) { put(how_ == format::json ? as_json(what) : as_text(what, colour_)); }

  void report(time_point now, bool all) {
    for (const auto& held : repeats_.due(now, all)) {
      const std::string_view key = held.key;
      const auto event = key.substr(0, key.find('\0'));
      const field count{"repeats", std::to_string(held.count)};
      render({static_cast<level>(held.severity), system_clock().wall(), event, key.substr(event.size() + 1),
              std::span(&count, 1)});
    }
  }

  std::mutex mutex_;
  repeat_limiter repeats_;
  format how_;
  bool colour_;
};

/// Never destroyed: threads may still log while the process ends.
writer& the_writer() {
  static writer& one = *[] {
    std::atexit(flush);
    return new writer;
  }();
  return one;
}

std::atomic<level> least_level{level::info};

} // namespace

format default_format() {
  return ::isatty(STDERR_FILENO) == 1 ? format::text : format::json;
}

void configure(format how, level least) {
  the_writer().configure(how);
  set_level(least);
}

void set_level(level least) {
  least_level.store(least, std::memory_order_relaxed);
}

void flush() {
  the_writer().flush();
}

void write(level severity, std::string_view event, std::string_view message, std::initializer_list<field> fields) {
  if (severity < least_level.load(std::memory_order_relaxed))
    return;
  the_writer().write({severity, system_clock().wall(), event, message, std::span(fields.begin(), fields.size())});
}

} // namespace penstock::logging
