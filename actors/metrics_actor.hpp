// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/node_metrics.hpp"
#include "actors/observed_actor.hpp"
#include "actors/protocol.hpp"

#include <atomic>

namespace penstock::actors {

struct metrics_setup {
  actor_directory* directory = nullptr;
  node_metrics* metrics = nullptr;
  std::atomic<std::uint64_t>* restarts = nullptr;
};

/// Once a second writes what no other actor counts into the registry: actors, mailboxes and restarts by kind, the
/// process.
///
/// look_around · stop_actor
[[nodiscard]] caf::actor spawn_metrics(caf::actor_system& system, std::shared_ptr<actor_record> record,
                                       const metrics_setup& setup);

} // namespace penstock::actors
