// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::keeper {

/// The files that may count this process' OOM kills, best first: of its control group (version 2, then 1), of the
/// group that a container sees as its root, and of the whole machine.
/// @param groups  content of /proc/self/cgroup
[[nodiscard]] std::vector<std::string> oom_files(std::string_view groups);

/// The number after `oom_kill` in such a file; nothing when there is no such line.
[[nodiscard]] std::optional<std::uint64_t> parse_oom_kills(std::string_view content);

/// How many processes of this control group the kernel has killed for want of memory; 0 when nothing counts them. The
/// kernel counts before it kills, so a child that was reaped is in it.
[[nodiscard]] std::uint64_t oom_kills();

} // namespace penstock::keeper
