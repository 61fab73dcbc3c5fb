// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.hpp"
#include "runtime/partition_work.hpp"
#include "runtime/running_metrics.hpp"
#include "runtime/scorer.hpp"
#include "storage/log.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace penstock::runtime {

// -- what a shard is told -------------------------------------------------------

/// Everything that a shard's behaviour depends on, beside its events.
struct shard_settings {
  std::string application;
  stream_spec stream;
  std::uint32_t shard = 0;
  storage::session_spec session; ///< inputs and states: the shard's input partitions
  /// Where each input starts when nothing was ever committed, one per input: `from:` as the shell resolved it.
  std::vector<std::int64_t> first_offsets;
  std::size_t max_record_bytes = 0;       ///< of the log
  std::uint32_t max_batch_records = 1000; ///< one score action
  std::uint32_t credits = 0;              ///< records in flight and not committed, per shard; 0 = 4 × commit records
  std::uint64_t credit_bytes = std::uint64_t{16} << 20;   ///< the same in bytes of the input batches
  duration min_commit_gap = std::chrono::milliseconds{2}; ///< embedded 2 ms, Kafka 10 ms
  duration retry_backoff = std::chrono::milliseconds{50}; ///< after aborted, fenced, in_doubt; doubles to 2 s
  std::uint32_t verdicts_per_minute = 5;                  ///< more condemned suspects suspend the stream
  /// Openings in a row that may end in `try_again`, `timeout` or `unavailable` before the shard has failed.
  std::uint32_t open_attempts = 10;
  /// True on the embedded log, where only a new log object helps: an opening that ends in `unavailable` fails at once.
  bool unavailable_is_final = true;
};

// -- what a shard wants done ------------------------------------------------------

namespace shard {

/// Open a session and read the state of its partitions under `state_key`; answer with `opened` or `open_failed`.
struct open {
  storage::session_spec spec;
};
/// Assign the shard's reader. Answer only if it fails: `failed_io`.
struct assign {
  std::vector<storage::position> positions;
};
/// Poll once, at most so many records; answer with `fetched` carrying the same round, even when nothing came. Every
/// poll has a round of its own, and an `assign` voids the one that is out.
struct poll {
  std::uint64_t round = 0;
  std::size_t max_records = 0;
  std::size_t max_bytes = 0;
};
/// Score a range; answer with `scored` or `score_failed` carrying epoch and batch.
struct score {
  storage::partition_id of;
  std::uint64_t epoch = 0;
  std::uint64_t batch = 0;
  std::shared_ptr<const storage::record_batch> records;
  record_range range;
  std::uint64_t generation = 0; ///< of the model to score with
  bool alone = false;           ///< a suspect: note it in the crash journal as the only one in work
};
/// Score a golden row in that partition's predictor; answer with `golden_checked`.
struct check_golden {
  storage::partition_id of;
  std::uint64_t epoch = 0;
  std::uint64_t batch = 0;
};
/// The predictor does not even score a golden row: have its supervisor restart it; answer with `golden_checked`
/// afterwards.
struct restart_predictor {
  storage::partition_id of;
  std::uint64_t epoch = 0;
  std::uint64_t batch = 0;
  std::string reason;
};
/// Commit in the session; answer with `committed`.
struct commit {
  storage::commit_request request;
};
/// Close the session, if any.
struct close_session {};
/// Fenced: is the shard still assigned here, with the control topic read to its end? Answer with `assignment_checked`.
struct check_assignment {};
/// Call `tick` at that time at the latest.
struct wake_at {
  time_point at;
};
/// The shard has come to its end; see `shard_task::phase`. A failed one leaves the reaction to its supervisor.
struct finished {};
/// Something worth an event: `shard.gap_skipped`, `record.condemned`, `stream.suspended`, `session.fenced` …
struct notice {
  std::string event;
  std::string text;
};

using action = std::variant<open, assign, poll, score, check_golden, restart_predictor, commit, close_session,
                            check_assignment, wake_at, finished, notice>;

} // namespace shard

/// What the shell and people may see of a shard.
struct shard_status {
  std::uint64_t epoch = 0;
  std::vector<storage::position> committed; ///< next offset of each input
  std::vector<running_metrics> metrics;     ///< committed, one per input
  std::uint64_t generation = 0;             ///< of the model that later ranges are scored with; 0 = none yet
  std::uint64_t in_flight = 0;              ///< records fetched and not committed
  std::uint64_t commits = 0;
  std::uint64_t aborted = 0, fenced = 0, in_doubt = 0;
  std::uint64_t gaps_skipped = 0; ///< offsets lost to retention under `on_gap: skip`, over all restarts
  std::uint64_t condemned = 0;    ///< records given up after an exception, a crash or a loop
};

/// Decides what a shard does: reads batches, has them scored partition by partition in order, and commits outputs, dead
/// letters, state and offsets together, so that each input record has exactly one visible outcome.
///
///     created ─start─▶ opening ─opened─▶ waiting for a model ─model─▶ running ─stop─▶ draining ─▶ closed
///                         ▲  │                                           │ │ │
///                         │  └──────────── failed ◀──── gap, error ──────┘ │ └─ too many verdicts ─▶ suspended
///                         └── backoff ◀── fenced and still ours, in_doubt ─┘      aborted: rewind, stay in running
///
/// Rules:
/// - Only the awaited answer counts: every score carries (epoch, batch); a late or repeated answer is dropped.
/// - One range per partition is in work at a time, so order per partition is kept.
/// - `aborted` and a new session throw away everything that is not committed and go back to the committed offsets.
/// - While a commit is under way, scoring goes on for the next one.
/// - Poison: a failed range is retried once, then halved until one record is left, which is retried once as well;
/// before
///   it is condemned a golden row must score. If that fails too, the predictor is restarted and the record tried again;
///   three restarts in a row without a golden row fail the shard. Suspects from the crash journal are scored alone; one
///   that was already alone is condemned at once.
/// - A shard waits until the stream's generation has reached the one in its state.
/// - A first start `from: earliest` that finds the log's start moved on begins there: no gap, nothing was promised yet.
/// - What a restart cannot help (a gap, state that does not fit its offsets) fails with `errc::configuration`.
///
/// Pure decision: no clock, actor, thread or I/O inside; `now` comes with every event and must not go back. Belongs to
/// one actor. Nothing of it survives a crash: what matters is in the log.
class shard_task {
public:
  enum class phase : std::uint8_t { created, opening, waiting, running, draining, backoff, suspended, closed, failed };
  using actions = std::vector<shard::action>;

  /// Key under which a partition's `shard_state` is kept.
  static constexpr const char* state_key = "shard";

  explicit shard_task(shard_settings settings, std::vector<suspect> suspects = {});
  ~shard_task();
  shard_task(shard_task&&) noexcept;

  // -- events ---------------------------------------------------------------

  /// @param wall  the wall time at `now`; verdicts and the dead letters of condemned records are dated from it
  [[nodiscard]] actions start(time_point now, wall_time wall);
  /// @param state  value under `state_key` for each of the session's states, in order; none = never written
  [[nodiscard]] actions opened(std::uint64_t epoch, const std::vector<storage::committed_offset>& offsets,
                               const std::vector<std::optional<std::string>>& state, time_point now);
  [[nodiscard]] actions open_failed(const error& why, time_point now);
  /// The model that later ranges are scored with; only its name, version and generation matter here. An older
  /// generation than the one before is ignored.
  [[nodiscard]] actions model_assigned(const serving_model& model, time_point now);
  [[nodiscard]] actions fetched(std::uint64_t round, std::vector<storage::fetched> batches, time_point now);
  [[nodiscard]] actions scored(std::uint64_t epoch, std::uint64_t batch, scored_range result, time_point now);
  [[nodiscard]] actions score_failed(std::uint64_t epoch, std::uint64_t batch, const std::string& cause,
                                     time_point now);
  [[nodiscard]] actions golden_checked(std::uint64_t epoch, std::uint64_t batch, bool holds, time_point now);
  [[nodiscard]] actions committed(const storage::commit_result& result, time_point now);
  [[nodiscard]] actions assignment_checked(bool still_ours, time_point now);
  /// Reader or log failed for good.
  [[nodiscard]] actions failed_io(const error& why, time_point now);
  [[nodiscard]] actions tick(time_point now);
  /// Finish what is in work, one last commit, then `finished`. What was fetched and not begun is left to the next.
  [[nodiscard]] actions stop(time_point now);

  // -- seen from outside ------------------------------------------------------

  [[nodiscard]] enum phase phase() const;
  /// Why it failed or was suspended.
  [[nodiscard]] const std::optional<error>& failure() const;
  [[nodiscard]] shard_status status() const;
  /// True when every fetched record is committed and the last poll found the end of every partition.
  [[nodiscard]] bool drained() const;

private:
  struct content;
  std::unique_ptr<content> content_;
};

[[nodiscard]] const char* name_of(enum shard_task::phase phase);

} // namespace penstock::runtime
