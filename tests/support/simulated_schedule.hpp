// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/support/simulated_world.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace penstock::test {

/// What happened in a schedule.
struct schedule_report {
  std::optional<std::string> violation; ///< of an invariant; none = it held
  std::uint64_t steps = 0;
  std::uint64_t commits = 0; ///< begun
  std::uint64_t in_doubt = 0, aborted = 0, fenced = 0;
  std::uint64_t records = 0; ///< of the input
  std::uint64_t dead_letters = 0;
  std::uint64_t node_deaths = 0, moves = 0;
};

/// Runs a source and the shards of a stream on two nodes under a seeded schedule of events and faults, then without
/// faults to the end, stops everything, and checks the invariants.
/// @param change  may alter the settings that were drawn from the seed
[[nodiscard]] schedule_report run_schedule(std::uint64_t seed, const std::function<void(world_settings&)>& change = {});

/// The invariants over what is in the log at the end; the first violation.
void check_invariants(simulated_world& world);

/// True when every input record is below its committed offset, and the source has produced every row.
[[nodiscard]] bool is_complete(const simulated_world& world);

} // namespace penstock::test
