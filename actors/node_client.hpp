// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "base/units.hpp"
#include "runtime/control_tables.hpp"
#include "runtime/running_metrics.hpp"
#include "runtime/scorer.hpp"
#include "runtime/training_job.hpp"
#include "storage/log.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace penstock::actors {

// What web/ and tools/ see of a node: own types, no CAF.

/// How an actor is, as every actor reports it.
struct actor_info {
  std::string address; ///< `house-prices/predictor/3`
  std::string kind;    ///< `predictor`
  std::string parent;  ///< address of its supervisor
  std::string state;   ///< `running`, `restarting`, `stopped`, `suspended`, or the phase of its task
  std::uint64_t incarnation = 0;
  std::uint64_t restarts = 0;
  std::string last_cause;    ///< text of the last failure
  std::uint64_t mailbox = 0; ///< messages waiting
  duration oldest{};         ///< age of the oldest waiting message, approximately
  std::uint64_t handled = 0; ///< messages, since this incarnation began
  duration busy{};           ///< time in handlers, since this incarnation began
  duration since_progress{}; ///< since the last message was handled
};

struct shard_info {
  std::string name; ///< `house-prices/shard/0` (application/kind/index within stream)
  std::string stream;
  std::string phase;
  std::uint64_t epoch = 0;
  struct partition {
    storage::partition_id of;
    std::int64_t committed = 0; ///< next input offset
    std::int64_t end = 0;       ///< of the input
    runtime::running_metrics metrics;
  };
  std::vector<partition> partitions;
  std::uint64_t in_flight = 0;
  std::uint64_t commits = 0, aborted = 0, fenced = 0, in_doubt = 0;
  std::uint64_t model_version = 0;
  std::string failure;               ///< why it has failed or is suspended
  std::optional<errc> final_failure; ///< set when a restart cannot help: it stays as it is until somebody acts
};

struct source_info {
  std::string name;
  std::string phase;
  std::uint64_t produced = 0;
  std::uint64_t target = 0;
  std::string failure;
  std::optional<errc> final_failure; ///< missing or changed file, bad row: a restart cannot help
};

struct training_info {
  std::string training; ///< `application/name`
  std::string state;    ///< `waiting`, `running`, `completed`, `failed`, `retrying`, `cancelling`, `cancelled`
  runtime::training_progress progress;
  std::map<int, std::string> step_texts; ///< of the steps that this attempt has ended, by number
  std::uint32_t attempt = 1;
  std::string digest;
  std::uint64_t version = 0;
  bool reused = false; ///< an earlier run for the same inputs stands; not trained again
  std::map<std::string, double> metrics;
  std::string cause;                 ///< of the last failed attempt
  std::optional<errc> final_failure; ///< no attempt is left, or none can help
};

/// A node at one moment; what the live view and the summary are drawn from.
struct node_info {
  std::string application;
  std::string log_url;
  bool ready = false; ///< log open, tables read, every actor started
  std::vector<training_info> trainings;
  std::vector<source_info> sources;
  std::vector<shard_info> shards;
  std::uint64_t restarts = 0; ///< of actors, since this process began
  std::uint64_t process_restarts = 0;
  duration commit_p50{}, commit_p99{};
  std::uint64_t input_end = 0;       ///< Σ end of inputs
  std::string failure;               ///< the first final failure of a training, source or shard
  std::optional<errc> final_failure; ///< its code: what `run` exits with
};

struct dead_letter {
  storage::partition_id of;
  std::int64_t offset = 0;
  wall_time timestamp = 0;
  std::string key;
  std::string value;
  storage::header_list headers; ///< cause, attempts, model, version, input
};

/// The one door through which web/ and tools/ reach the actors of a node. Thread-safe; every call blocks the caller for
/// at most its time limit (`errc::timeout`), never an actor. Holds no state of its own.
class node_client {
public:
  virtual ~node_client() = default;

  [[nodiscard]] virtual result<node_info> node(duration limit) = 0;
  [[nodiscard]] virtual result<std::vector<actor_info>> actors(duration limit) = 0;
  /// `errc::not_found` when nobody has that address.
  [[nodiscard]] virtual result<actor_info> actor(const std::string& address, duration limit) = 0;
  [[nodiscard]] virtual result<std::vector<shard_info>> shards(duration limit) = 0;
  [[nodiscard]] virtual result<runtime::registry_table> registry(duration limit) = 0;
  [[nodiscard]] virtual result<runtime::runs_table> runs(duration limit) = 0;
  [[nodiscard]] virtual result<std::vector<runtime::event_noted>> events(duration limit) = 0;
  [[nodiscard]] virtual result<std::vector<storage::topic_info>> topics(duration limit) = 0;
  /// Records of one partition from an offset on, at most `most`. Reads in the caller's thread.
  [[nodiscard]] virtual result<storage::fetched> read(const storage::position& from, std::size_t most,
                                                      duration limit) = 0;
  /// Newest first, at most `most`.
  [[nodiscard]] virtual result<std::vector<dead_letter>> dead_letters(const std::string& stream, std::size_t most,
                                                                      duration limit) = 0;
  /// The model that answers for a name and alias; loaded and verified. `errc::not_found`, `errc::unavailable` before
  /// there is one. A model that was served before goes on being served when the store fails.
  [[nodiscard]] virtual result<std::shared_ptr<const runtime::serving_model>>
  model(const std::string& name, const std::string& alias, duration limit) = 0;
  /// Ends a training for good, whatever step it is in. `errc::not_found` for a training that the application does not
  /// have (by its name, or as `application/name`), `conflict` when it has completed or failed.
  [[nodiscard]] virtual status cancel_training(const std::string& name, duration limit) = 0;
  /// Prometheus text exposition of the node.
  [[nodiscard]] virtual std::string metrics() = 0;
};

} // namespace penstock::actors
