// SPDX-License-Identifier: Apache-2.0
#include "base/clock.hpp"

#include <fmt/format.h>

#include <ctime>

namespace penstock {

namespace {

class operating_system_clock final : public clock {
public:
  [[nodiscard]] time_point now() const override { return std::chrono::steady_clock::now(); }
  [[nodiscard]] wall_time wall() const override {
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
  }
};

} // namespace

const clock& system_clock() {
  static const operating_system_clock the_clock;
  return the_clock;
}

std::string format_wall(wall_time time) {
  auto milliseconds = time % 1000;
  std::time_t seconds = time / 1000;
  if (milliseconds < 0) {
    milliseconds += 1000;
    --seconds;
  }
  std::tm parts{};
  if (gmtime_r(&seconds, &parts) == nullptr)
    return fmt::format("{}ms", time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", std::int64_t{parts.tm_year} + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, milliseconds);
}

} // namespace penstock
