// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/observed_actor.hpp"
#include "actors/protocol.hpp"
#include "storage/model_files.hpp"

namespace penstock::actors {

/// Loads packages by digest, verifies them (digest, checksums, golden rows) and hands out shared immutable models. A
/// package that is in memory is handed out again without touching the disk, so what was once served goes on being
/// served.
///
/// load_model → model_loaded · stop_actor
[[nodiscard]] caf::actor spawn_model_store(caf::actor_system& system, std::shared_ptr<actor_record> record,
                                           const storage::model_files& files);

} // namespace penstock::actors
