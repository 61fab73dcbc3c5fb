// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/node_metrics.hpp"
#include "actors/observed_actor.hpp"
#include "actors/protocol.hpp"
#include "runtime/crash_journal.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace penstock::actors {

/// What a shard is made of.
struct shard_setup {
  runtime::shard_settings settings; ///< `first_offsets` is filled in by the actor
  std::string address;
  std::string stream; ///< `application/stream`
  std::vector<runtime::suspect> suspects;
  std::map<storage::partition_id, std::string> predictors; ///< address by input partition
  std::string predictor_supervisor;
  std::string control; ///< addresses
  std::string model_store;
  storage::log* log = nullptr;
  actor_directory* directory = nullptr;
  node_metrics* metrics = nullptr;
  std::function<void(const std::string&, const std::string&, const std::string&)> note;
  std::function<void(const std::string&)> log_lost; ///< told why the log will never work again in this process
  std::function<void(const shard_info&)> farewell;  ///< told how it was after the last commit
};

/// Shell of `shard_task`: its session and reader live on a thread of their own, its ranges go to the predictors, one
/// per partition, and what the task decides is carried out. A task that failed ends the actor with the task's cause.
///
/// serving_changed, model_loaded · range_scored, range_failed, golden_row_checked, predictor_up, predictor_down ·
/// session_opened, session_not_opened, batches_fetched, reader_failed, commit_ended, io_failure · wake, describe →
/// shard_info, stop_actor
[[nodiscard]] caf::actor spawn_shard(caf::actor_system& system, std::shared_ptr<actor_record> record,
                                     shard_setup setup);

} // namespace penstock::actors
