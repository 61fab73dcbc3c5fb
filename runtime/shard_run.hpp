// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.hpp"
#include "runtime/partition_work.hpp"
#include "runtime/pending_commit.hpp"
#include "runtime/shard_state.hpp"
#include "runtime/shard_task.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace penstock::runtime {

/// The part of a `shard_task` that works inside an open session: fetch, score, commit, rewind. The events are those of
/// the task; after each the task calls `go_on`, which emits whatever is possible now.
///
/// Each partition carries three states: `committed` (known to be in the log), `submitted` (as of the commit under way)
/// and `reached` (with everything that is made). Losing a session or an aborted commit goes back to `committed`.
class shard_run {
public:
  shard_run(const shard_settings& settings, std::vector<suspect> suspects);

  // -- the session ------------------------------------------------------------

  void set_wall(time_point now, wall_time wall);
  /// `errc::configuration` or `invalid` when state and offsets do not fit.
  [[nodiscard]] status begin(std::uint64_t epoch, const std::vector<storage::committed_offset>& offsets,
                             const std::vector<std::optional<std::string>>& state, shard_task::actions& out);
  /// The session is gone: drops all that is not committed.
  void forget();
  /// Begins nothing more; what is in work is finished and committed.
  void end() { stopping_ = true; }

  // -- events -----------------------------------------------------------------

  void set_model(const serving_model& model);
  void fetched(std::uint64_t round, std::vector<storage::fetched> batches, time_point now);
  void scored(std::uint64_t epoch, std::uint64_t batch, scored_range result);
  void score_failed(std::uint64_t epoch, std::uint64_t batch, const std::string& cause, time_point now,
                    shard_task::actions& out);
  void golden_checked(std::uint64_t epoch, std::uint64_t batch, bool holds, time_point now, shard_task::actions& out);
  void committed();
  void aborted(time_point resume_at);
  /// The time that was asked for has come, or is asked for anew.
  void woken() { wake_.reset(); }
  void go_on(time_point now, shard_task::actions& out);

  // -- seen from outside --------------------------------------------------------

  /// A model is there, of a generation that the state allows.
  [[nodiscard]] bool has_model() const;
  [[nodiscard]] bool commit_under_way() const { return under_way_.has_value(); }
  [[nodiscard]] bool ending() const { return stopping_ || suspension_; }
  [[nodiscard]] bool ended() const;
  [[nodiscard]] const std::optional<error>& failure() const { return failure_; }
  [[nodiscard]] const std::optional<error>& suspension() const { return suspension_; }
  [[nodiscard]] bool drained() const;
  [[nodiscard]] shard_status summary() const;

private:
  struct partition {
    storage::partition_id of;
    std::vector<suspect> suspects;
    partition_work work;
    std::shared_ptr<const serving_model> model; ///< that its piece in work is scored with
    shard_state committed;
    shard_state submitted;
    shard_state reached;
    std::int64_t read_next = 0;
    std::optional<std::int64_t> gap; ///< the log starts here, behind what was fetched
    bool at_end = false;
    bool ever_committed = false;
  };
  /// What a commit that is under way will have done.
  struct submission {
    std::uint64_t records = 0;
    std::uint64_t bytes = 0;
  };

  [[nodiscard]] status restore(partition& p, std::size_t index, const storage::committed_offset& offset,
                               const std::optional<std::string>& state, shard_task::actions& out);
  void rewind();
  [[nodiscard]] partition* find(const storage::partition_id& of);
  [[nodiscard]] partition* awaiting(std::uint64_t epoch, std::uint64_t batch);
  [[nodiscard]] std::uint64_t number_for(const partition& p);
  void meet_gap(partition& p, std::int64_t log_start);
  void skip_gap(partition& p, time_point now, shard_task::actions& out);
  void complete(partition& p, scored_range made);
  void react(partition& p, partition_work::verdict what, time_point now, shard_task::actions& out);
  void condemn(partition& p, time_point now, shard_task::actions& out);
  void pass_verdict(partition& p, wall_time at);
  /// Suspects come first and alone, and nothing is begun between a verdict and its commit: a second culprit would undo
  /// it.
  [[nodiscard]] bool may_begin(const partition& p) const;
  void begin_work(partition& p, time_point now, shard_task::actions& out);
  void ask_for_more(shard_task::actions& out);
  [[nodiscard]] bool has_credit() const;
  [[nodiscard]] bool at_rest() const; ///< nothing in work, and nothing that could be begun
  void commit_when_due(time_point now, shard_task::actions& out);
  void commit(time_point now, shard_task::actions& out);
  void wake_at(time_point at, shard_task::actions& out);
  [[nodiscard]] wall_time wall(time_point now) const;

  const shard_settings& settings_;
  std::vector<partition> partitions_;
  std::shared_ptr<const serving_model> model_;
  std::uint64_t epoch_ = 0;
  std::uint64_t numbers_ = 0; ///< given to rounds and batches so far; never reused
  std::uint64_t round_ = 0;   ///< of the poll that is out; 0 = none
  bool assign_ = false;       ///< the reader stands elsewhere than `read_next`
  std::uint64_t in_flight_ = 0;
  std::uint64_t bytes_in_flight_ = 0;
  pending_commit gathering_;
  std::optional<submission> under_way_;
  std::optional<time_point> last_commit_; ///< when it was begun
  std::optional<time_point> resume_at_;   ///< after an aborted commit
  std::optional<time_point> wake_;        ///< asked for and not yet past
  time_point wall_from_{};
  wall_time wall_base_ = 0;
  bool verdict_pending_ = false; ///< a suspect was condemned, and that is not known to be committed
  bool stopping_ = false;
  std::optional<error> suspension_;
  std::optional<error> failure_;
  std::uint64_t commits_ = 0;
  std::uint64_t aborted_ = 0;
  std::uint64_t condemned_ = 0;
};

} // namespace penstock::runtime
