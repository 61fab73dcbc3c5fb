// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/observed_actor.hpp"
#include "actors/protocol.hpp"
#include "storage/log.hpp"

#include <string>

namespace penstock::actors {

struct control_setup {
  std::string topic;             ///< `penstock.<cluster>.control`, one partition
  storage::session_spec session; ///< id `<cluster>.control`; no inputs, no state
  storage::log* log = nullptr;
};

/// Owner of the control session: the only one who appends to the control topic, and the keeper of the tables that are
/// folded from it. It never believes its own appends: it reads them back, so that its tables are what every reader
/// sees.
///
/// append_control · record_run → run_recorded · follow_stream → serving_changed (now and at each change) ·
/// view_control → control_view · control_read, io_failure · stop_actor
///
/// A session that is fenced or in doubt ends the actor; its successor opens a new one and reads the topic from the
/// start.
[[nodiscard]] caf::actor spawn_control(caf::actor_system& system, std::shared_ptr<actor_record> record,
                                       control_setup setup);

} // namespace penstock::actors
