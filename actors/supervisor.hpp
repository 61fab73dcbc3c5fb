// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/actor_directory.hpp"
#include "actors/observed_actor.hpp"
#include "actors/protocol.hpp"
#include "runtime/supervision_policy.hpp"

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace penstock::actors {

/// A child as its supervisor needs it: what it is, and how an incarnation of it is made.
struct child {
  runtime::child_spec spec;
  std::string kind;                                ///< `predictor`
  duration stuck_after = std::chrono::seconds{30}; ///< a message that takes longer: the watchdog ends the process
  std::function<caf::actor(std::shared_ptr<actor_record>)> make; ///< what it throws counts as a failure of the child
};

/// What supervisors share on a node.
struct supervision {
  actor_directory* directory = nullptr;
  std::atomic<std::uint64_t>* restarts = nullptr; ///< of actors, for people and metrics
  /// Told of each restart and escalation, for the event log: event, subject, text.
  std::function<void(const std::string&, const std::string&, const std::string&)> note;
};

/// Told when a child begins to live and when it died, with the cause.
struct supervision_observer {
  std::function<void(const std::string& child)> up;
  std::function<void(const std::string& child, const std::string& cause)> down;
};

struct supervisor_state {
  struct slot {
    child what;
    std::shared_ptr<actor_record> record;
    caf::actor handle;
    bool stopping = false;
    std::uint64_t number = 0; ///< of the newest planned start or stop
  };
  std::unique_ptr<runtime::supervision_policy> policy;
  std::vector<slot> slots;
  std::deque<runtime::supervision_action> starts; ///< wait until every stop has ended
  bool at_once = false;                           ///< it ends without waiting for last commits
  std::string escalation;                         ///< set when it is ending because of a child
  bool ending = false;
};

/// Spawns a supervisor of these children, started in order. It ends when asked (`stop_actor`: children last started
/// first), or as failed when its policy escalates.
[[nodiscard]] caf::actor spawn_supervisor(caf::actor_system& system, std::shared_ptr<actor_record> record,
                                          const runtime::supervisor_spec& spec, const std::vector<child>& children,
                                          const supervision& shared, const supervision_observer& observer = {});

/// The same as a child of another supervisor.
[[nodiscard]] child supervisor_child(caf::actor_system& system, const runtime::supervisor_spec& spec,
                                     const std::vector<child>& children, const supervision& shared,
                                     const supervision_observer& observer = {});

} // namespace penstock::actors
