// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/observed_actor.hpp"
#include "actors/protocol.hpp"

#include <functional>
#include <string>

namespace penstock::actors {

struct source_setup {
  std::string application;
  runtime::source_spec source;
  runtime::dataset_spec dataset;
  std::int32_t partitions = 1; ///< of the topic
  storage::session_spec session;
  storage::log* log = nullptr;
  std::function<void(const std::string&, const std::string&, const std::string&)> note;
  std::function<void(const std::string&)> log_lost; ///< told why the log will never work again in this process
  std::function<void(const source_info&)> farewell; ///< told how it was after the last commit
};

/// Shell of `source_task`: reads the data set on a thread of its own, then produces its rows, each exactly once over
/// all restarts. Stays alive when it is done, to be asked. A missing or changed file, or a bad row, ends it with that
/// cause.
///
/// source_ready, session_opened, session_not_opened, commit_ended, io_failure · wake · describe → source_info ·
/// stop_actor
[[nodiscard]] caf::actor spawn_source(caf::actor_system& system, std::shared_ptr<actor_record> record,
                                      source_setup setup);

} // namespace penstock::actors
