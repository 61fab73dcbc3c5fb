// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "tools/verb_page.hpp"

#include <cstdint>

namespace penstock::tools {

/// What the process before this one left in the environment.
struct process_origin {
  bool kept = false;             ///< our parent is the keeper
  std::uint64_t incarnation = 1; ///< of the runtime process, from the keeper
  wall_time started = 0;         ///< when the command was given, over all restarts
};

[[nodiscard]] process_origin origin_of_process();

/// Becomes the keeper, which runs the same command again as its child: replaces this process and does not return when
/// it works. `errc::not_found` when there is no `penstock-keeper` beside this executable.
/// @param verb  `run` or `node`
[[nodiscard]] error become_keeper(const char* verb, words line, wall_time started);

} // namespace penstock::tools
