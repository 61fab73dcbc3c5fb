// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/node_client.hpp"
#include "runtime/control_record.hpp"
#include "runtime/scorer.hpp"
#include "runtime/shard_task.hpp"
#include "runtime/training_job.hpp"
#include "storage/log.hpp"

#include <caf/all.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

// Every message between the actors of a node. Messages never leave the process and are never serialised.
namespace penstock::actors {

// -- to every actor ---------------------------------------------------------------

/// End in an orderly way: finish what is in work, make the last commit, quit. From the supervisor.
struct stop_actor {
  bool at_once = false; ///< somebody has given up: quit now, what is not committed is simply not there
};
/// Look at the time. INTERNAL: an actor to itself, at the moment its task asked for.
struct wake {
  std::uint64_t number = 0; ///< only the newest counts
};
/// Something thrown by a job on the actor's own thread. INTERNAL.
struct io_failure {
  std::string text;
};

// -- to a supervisor --------------------------------------------------------------

/// Start this child if it is still meant. INTERNAL: after its backoff.
struct start_child {
  std::string id;
  std::uint64_t number = 0;
};
/// A child that did not stop in time is killed. INTERNAL.
struct stop_overdue {
  std::string id;
  std::uint64_t number = 0;
};
/// Nothing on this node can work any more (its log is lost): end everything, with this cause. To the root.
struct give_up {
  std::string cause;
};
/// A child works no longer though it lives: restart it. Uses up no intensity.
struct restart_child {
  std::string id;
  std::string reason;
};

// -- to a predictor ---------------------------------------------------------------

/// Score a range of a batch. Answered by `range_scored` or `range_failed` to the sender.
struct score_range {
  std::uint64_t epoch = 0;
  std::uint64_t batch = 0;
  std::shared_ptr<const storage::record_batch> records;
  runtime::record_range range;
  bool alone = false;
  std::shared_ptr<const runtime::serving_model> model;
  std::size_t max_output_bytes = 0;
};
/// Score a golden row of the model. Answered by `golden_row_checked`.
struct check_golden_row {
  std::uint64_t epoch = 0;
  std::uint64_t batch = 0;
  std::shared_ptr<const runtime::serving_model> model;
};

// -- to a shard -------------------------------------------------------------------

struct range_scored {
  std::uint64_t epoch = 0;
  std::uint64_t batch = 0;
  std::shared_ptr<runtime::scored_range> result;
};
struct range_failed {
  std::uint64_t epoch = 0;
  std::uint64_t batch = 0;
  std::string cause;
};
struct golden_row_checked {
  std::uint64_t epoch = 0;
  std::uint64_t batch = 0;
  bool holds = false;
};
/// A predictor of the shard began to live. From its supervisor.
struct predictor_up {
  storage::partition_id of;
};
/// A predictor of the shard died; what it had in work gets no answer. From its supervisor.
struct predictor_down {
  storage::partition_id of;
  std::string cause;
};
/// INTERNAL, from the shard's own thread: results of its blocking calls.
struct session_opened {
  std::uint64_t epoch = 0;
  std::vector<storage::committed_offset> offsets;
  std::vector<std::optional<std::string>> state;
};
struct session_not_opened {
  std::shared_ptr<error> why;
};
struct batches_fetched {
  std::uint64_t round = 0;
  std::shared_ptr<std::vector<storage::fetched>> batches;
};
struct reader_failed {
  std::shared_ptr<error> why;
};
struct commit_ended {
  storage::commit_result result;
  duration took{};
};
/// INTERNAL, from the shard's own thread: where its inputs start when nothing was ever committed.
struct first_offsets_known {
  std::vector<std::int64_t> offsets;
};
/// INTERNAL: time to look whether the control actor is still the one that it follows, and whether its model came.
struct look_around {};
/// Tell how you are. Answered with `shard_info`, `source_info`, `training_info` by shard, source, trainer.
struct describe {};

// -- to the control actor ------------------------------------------------------------

/// A training began, failed or noted something: append these records. No answer.
struct append_control {
  std::vector<runtime::control_record> records;
};
/// A training has its package in the store: record the run, give the model its next version, move its `champion` and
/// the streams that follow it, all in one commit. Repeating it for the same inputs changes nothing. Answered by
/// `run_recorded` to `reply_to`.
struct record_run {
  runtime::run_completed run;
  std::string model;
  caf::actor reply_to;
};
/// I serve this stream: tell me (`serving_changed`) what it scores with, now and at each change.
struct follow_stream {
  std::string stream; ///< `application/stream`
  std::string model;
  std::string alias;
  caf::actor follower;
};
/// The tables as they stand. Answered with `control_view`.
struct view_control {};
struct control_view {
  std::shared_ptr<const runtime::registry_table> registry;
  std::shared_ptr<const runtime::runs_table> runs;
  std::shared_ptr<const runtime::events_table> events;
};
/// INTERNAL, from the control actor's own thread: records that are in the control topic, and how the append went.
struct control_read {
  std::vector<std::pair<std::int64_t, runtime::control_record>> records;
  storage::commit_result result;
  bool opened = false; ///< the answer to the opening: the tables are complete
};

// -- to a trainer ------------------------------------------------------------------

struct run_recorded {
  std::string digest;
  std::uint64_t version = 0;
};
/// A user wants no more of this training. Answered with `cancel_answered`; the state is `cancelled` as soon as the work
/// has ended, and stays so until the node starts again.
struct cancel_training {};
struct cancel_answered {
  std::shared_ptr<error> refused; ///< `errc::conflict`: it has ended already
};
/// INTERNAL, from the training's own thread: it is not skipped; what goes in.
struct training_started {
  std::string inputs;
};
/// INTERNAL, from the training's own thread.
struct training_moved {
  runtime::training_progress progress;
};
struct training_ended {
  bool reused = false; ///< an earlier run for the same inputs stands
  std::string inputs;
  std::string digest;
  std::map<std::string, double> metrics;
  std::shared_ptr<error> failure; ///< none = success
  bool threw = false;             ///< the failure was an exception
};

// -- to a source --------------------------------------------------------------------

/// INTERNAL, from the source's own thread: its data set, or why there is none.
struct source_ready {
  std::shared_ptr<result<runtime::read_dataset>> read;
};

// -- to the model store -------------------------------------------------------------

/// Load, verify and hand out a package. Answered with `model_loaded`.
struct load_model {
  std::string digest;
};
struct model_loaded {
  std::string digest;
  std::shared_ptr<const ml::model_package> package; ///< none when it failed
  std::uint64_t size = 0;                           ///< of the encoded package, bytes
  std::shared_ptr<error> why;
};

// -- to a shard, from the control actor ------------------------------------------------

struct serving_changed {
  std::string stream;
  std::uint64_t generation = 0;
  std::string model;
  std::uint64_t version = 0;
  std::string digest;
};

} // namespace penstock::actors

#define PENSTOCK_MESSAGE(name) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penstock::actors::name)
PENSTOCK_MESSAGE(stop_actor)
PENSTOCK_MESSAGE(wake)
PENSTOCK_MESSAGE(io_failure)
PENSTOCK_MESSAGE(start_child)
PENSTOCK_MESSAGE(stop_overdue)
PENSTOCK_MESSAGE(give_up)
PENSTOCK_MESSAGE(restart_child)
PENSTOCK_MESSAGE(score_range)
PENSTOCK_MESSAGE(check_golden_row)
PENSTOCK_MESSAGE(range_scored)
PENSTOCK_MESSAGE(range_failed)
PENSTOCK_MESSAGE(golden_row_checked)
PENSTOCK_MESSAGE(predictor_up)
PENSTOCK_MESSAGE(predictor_down)
PENSTOCK_MESSAGE(session_opened)
PENSTOCK_MESSAGE(session_not_opened)
PENSTOCK_MESSAGE(batches_fetched)
PENSTOCK_MESSAGE(reader_failed)
PENSTOCK_MESSAGE(commit_ended)
PENSTOCK_MESSAGE(first_offsets_known)
PENSTOCK_MESSAGE(look_around)
PENSTOCK_MESSAGE(describe)
PENSTOCK_MESSAGE(append_control)
PENSTOCK_MESSAGE(record_run)
PENSTOCK_MESSAGE(follow_stream)
PENSTOCK_MESSAGE(view_control)
PENSTOCK_MESSAGE(control_view)
PENSTOCK_MESSAGE(control_read)
PENSTOCK_MESSAGE(run_recorded)
PENSTOCK_MESSAGE(cancel_training)
PENSTOCK_MESSAGE(cancel_answered)
PENSTOCK_MESSAGE(training_started)
PENSTOCK_MESSAGE(training_moved)
PENSTOCK_MESSAGE(training_ended)
PENSTOCK_MESSAGE(source_ready)
PENSTOCK_MESSAGE(load_model)
PENSTOCK_MESSAGE(model_loaded)
PENSTOCK_MESSAGE(serving_changed)
PENSTOCK_MESSAGE(shard_info)
PENSTOCK_MESSAGE(source_info)
PENSTOCK_MESSAGE(training_info)
#undef PENSTOCK_MESSAGE
