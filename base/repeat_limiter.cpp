// SPDX-License-Identifier: Apache-2.0
#include "base/repeat_limiter.hpp"

namespace penstock {

namespace {

constexpr std::size_t most_keys = 1'024;
constexpr auto quiet = std::chrono::seconds(1);

} // namespace

bool repeat_limiter::pass(std::string_view key, std::uint8_t severity, time_point now) {
  const auto found = windows_.find(key);
  if (found != windows_.end()) {
    ++found->second.count;
    return false;
  }
  if (windows_.size() < most_keys)
    windows_.emplace(std::string(key), window{now, 0, severity});
  return true;
}

std::vector<repeat_limiter::held_back> repeat_limiter::due(time_point now, bool all) {
  std::vector<held_back> out;
  for (auto it = windows_.begin(); it != windows_.end();) {
    const auto& [key, seen] = *it;
    if (!all && now - seen.opened < quiet) {
      ++it;
      continue;
    }
    if (seen.count > 0)
      out.push_back({key, seen.count, seen.severity});
    it = windows_.erase(it);
  }
  return out;
}

} // namespace penstock
