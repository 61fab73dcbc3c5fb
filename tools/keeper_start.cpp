// SPDX-License-Identifier: Apache-2.0
#include "tools/keeper_start.hpp"

#include "base/file.hpp"

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <unistd.h>

namespace penstock::tools {

namespace {

constexpr const char* started_variable = "PENSTOCK_RUN_STARTED";

std::optional<std::int64_t> number_from_environment(const char* name) {
  const char* text = std::getenv(name);
  if (text == nullptr)
    return std::nullopt;
  std::int64_t value = 0;
  const char* end = text + std::strlen(text);
  const auto [stopped, wrong] = std::from_chars(text, end, value);
  return wrong == std::errc{} && stopped == end ? std::optional(value) : std::nullopt;
}

} // namespace

process_origin origin_of_process() {
  process_origin out;
  // The parent is compared, because a variable that merely leaked into this process must not keep the keeper away.
  out.kept = number_from_environment("PENSTOCK_KEEPER_PID") == ::getppid();
  out.started = system_clock().wall();
  if (!out.kept)
    return out;
  out.incarnation = static_cast<std::uint64_t>(number_from_environment("PENSTOCK_INCARNATION").value_or(1));
  out.started = number_from_environment(started_variable).value_or(out.started);
  return out;
}

error become_keeper(const char* verb, words line, wall_time started) {
  std::error_code failed;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", failed);
  if (failed)
    return system_error("cannot find the own executable", "/proc/self/exe", failed.value());
  const auto keeper = self.parent_path() / "penstock-keeper";
  // An escalation means that every supervisor below has given up: two more tries in five minutes, then so does the
  // keeper.
  std::vector<std::string> command{keeper.string(), "--intensity", "2", "--within", "300", "--", self.string(), verb};
  command.insert(command.end(), line.begin(), line.end());
  std::vector<char*> arguments;
  for (auto& word : command)
    arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::setenv(started_variable, std::to_string(started).c_str(), 1);
  ::execv(keeper.c_str(), arguments.data());
  return system_error("cannot run the keeper", keeper, errno);
}

} // namespace penstock::tools
