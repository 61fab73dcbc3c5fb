// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/observed_actor.hpp"
#include "actors/protocol.hpp"
#include "storage/model_files.hpp"

#include <functional>
#include <string>

namespace penstock::actors {

struct trainer_setup {
  std::string application;
  runtime::training_spec training;
  runtime::dataset_spec dataset;
  storage::model_files files;
  unsigned threads = 1;
  std::string control; ///< address
  actor_directory* directory = nullptr;
  std::uint64_t incarnation = 1;                                                ///< of the process: part of run ids
  std::function<void(const std::string& url, const std::string& body)> webhook; ///< may be empty
};

/// Runs one training on niced threads of its own: skipped when an earlier run stands for the same inputs, retried as
/// declared when it fails, recorded with its model by the control actor when it is done. Stays alive to be asked.
///
/// training_moved, training_ended, run_recorded, control_view · wake · describe → training_info · stop_actor
[[nodiscard]] caf::actor spawn_trainer(caf::actor_system& system, std::shared_ptr<actor_record> record,
                                       trainer_setup setup);

} // namespace penstock::actors
