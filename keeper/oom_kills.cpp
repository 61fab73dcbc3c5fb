// SPDX-License-Identifier: Apache-2.0
#include "keeper/oom_kills.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>

#include <fcntl.h>
#include <unistd.h>

namespace penstock::keeper {

namespace {

std::string_view take_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  const auto line = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  return line;
}

/// Empty when it cannot be read: without a count no death is called an OOM kill.
std::string content_of(const std::string& path) {
  std::string out;
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return out;
  std::array<char, 4096> piece{};
  for (;;) {
    const auto got = ::read(file, piece.data(), piece.size());
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      break;
    out.append(piece.data(), static_cast<std::size_t>(got));
  }
  ::close(file);
  return out;
}

} // namespace

std::vector<std::string> oom_files(std::string_view groups) {
  std::vector<std::string> out;
  const auto add = [&out](const std::string& root, std::string_view path, const char* file) {
    if (path != "/" && !path.empty())
      out.push_back(root + std::string(path) + file);
    out.push_back(root + file);
  };
  while (!groups.empty()) {
    const auto line = take_line(groups); // id:controllers:path
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos)
      continue;
    const auto controllers = "," + std::string(line.substr(first + 1, second - first - 1)) + ",";
    const auto path = line.substr(second + 1);
    if (controllers == ",,")
      add("/sys/fs/cgroup", path, "/memory.events");
    else if (controllers.find(",memory,") != std::string::npos)
      add("/sys/fs/cgroup/memory", path, "/memory.oom_control");
  }
  out.emplace_back("/proc/vmstat");
  return out;
}

std::optional<std::uint64_t> parse_oom_kills(std::string_view content) {
  static constexpr std::string_view name = "oom_kill ";
  while (!content.empty()) {
    const auto line = take_line(content);
    if (!line.starts_with(name))
      continue;
    std::uint64_t count = 0;
    const auto [end, problem] = std::from_chars(line.data() + name.size(), line.data() + line.size(), count);
    if (problem == std::errc{} && end == line.data() + line.size())
      return count;
  }
  return std::nullopt;
}

std::uint64_t oom_kills() {
  for (const auto& path : oom_files(content_of("/proc/self/cgroup")))
    if (const auto count = parse_oom_kills(content_of(path)))
      return *count;
  return 0;
}

} // namespace penstock::keeper
