// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.hpp"
#include "storage/log.hpp"
#include "tests/support/simulated_broker.hpp"

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace penstock::test {

/// How often things go wrong, as a probability at each opportunity.
struct simulated_faults {
  double aborted = 0;      ///< a commit ends aborted; nothing happened
  double lost_request = 0; ///< a request of a commit never arrives: in_doubt, and on Kafka the transaction stays open
  double lost_reply = 0;   ///< the commit happens, its reply does not come: in_doubt
  double late_end = 0;     ///< Kafka: the request that ends the transaction arrives later, or never: in_doubt
  double repeated_end = 0; ///< Kafka: the client sends it twice by itself; the second one arrives later
  double open_fails = 0;   ///< opening ends in a timeout, before or after it fenced the earlier session
  double append_fails = 0; ///< a plain append ends `unavailable`; it may have happened
};

struct simulated_log_options {
  bool markers = true; ///< Kafka: transactions are open for a while, markers occupy offsets; false: embedded
  std::uint64_t seed = 1;
  duration transaction_timeout = std::chrono::seconds{10};
  std::size_t max_record_bytes = (std::size_t{1} << 20) + (std::size_t{64} << 10);
  // Planted bugs, which the simulation must notice.
  bool no_fencing = false;    ///< an old session is as good as the new one
  bool offsets_first = false; ///< offsets and state are committed before the outputs
  bool forgets_doubt = false; ///< a session goes on after `in_doubt`
  bool no_renewal = false;    ///< a producer goes on after its client sent a request twice
};

class simulated_log;

/// A session whose commit can be watched stage by stage, so that other events may come between.
class simulated_session : public storage::session {
public:
  simulated_session(simulated_log& log, storage::session_spec spec, std::uint64_t epoch, std::uint64_t producer_epoch);
  ~simulated_session() override;

  [[nodiscard]] std::uint64_t epoch() const override { return epoch_; }
  [[nodiscard]] result<std::optional<std::string>> read_state(const storage::partition_id& of,
                                                              std::string_view key) override;
  [[nodiscard]] storage::commit_result commit(const storage::commit_request& request) override;

  /// Begins a commit that `advance` carries on.
  void start(storage::commit_request request);
  /// One request to the broker; the result when that was the last.
  [[nodiscard]] std::optional<storage::commit_result> advance();
  /// The process died: nothing is aborted any more when this is destroyed.
  void vanish() { vanished_ = true; }

private:
  friend class simulated_log;
  [[nodiscard]] std::optional<storage::commit_result> step();
  [[nodiscard]] std::optional<storage::commit_result> begin();
  [[nodiscard]] std::optional<storage::commit_result> end();
  [[nodiscard]] storage::commit_result commit_at_once();
  [[nodiscard]] std::optional<std::string> refusal() const; ///< of the request, by its form
  [[nodiscard]] storage::commit_result finish(storage::commit_outcome outcome, std::string reason);
  [[nodiscard]] bool is_current() const;

  simulated_log& log_;
  storage::session_spec spec_;
  std::uint64_t epoch_;
  std::uint64_t producer_epoch_;
  storage::commit_request request_;
  std::size_t stage_ = 0;
  std::optional<simulated_broker::transaction_id> open_;
  std::optional<storage::commit_result> dead_;
  bool renew_ = false; ///< the client sent something twice: fence ourselves before the next begin
  bool vanished_ = false;
};

/// `storage::log` in memory over a `simulated_broker`, with seeded faults. Virtual time: `turn` tells it. Calls are
/// thread-safe, so that it can pass the contract of `log`; a simulation uses one thread and no waiting polls.
class simulated_log : public storage::log {
public:
  /// @param broker  one that was there before; none = a new one
  explicit simulated_log(simulated_log_options options, std::shared_ptr<simulated_broker> broker = {});
  ~simulated_log() override;

  // -- the world outside --------------------------------------------------------

  void set_faults(const simulated_faults& faults) { faults_ = faults; }
  /// Time passes: late requests may arrive, transactions may expire.
  void turn(time_point now);
  /// No late request is on its way any more: they all arrive now.
  void settle();
  [[nodiscard]] const simulated_broker& broker() const { return *broker_; }

  // -- storage::log ---------------------------------------------------------------

  [[nodiscard]] status create_topic(const storage::topic_spec& spec) override;
  [[nodiscard]] result<std::vector<storage::topic_info>> topics() override;
  [[nodiscard]] result<storage::topic_info> describe(const std::string& topic) override;
  [[nodiscard]] status delete_topic(const std::string& topic) override;
  [[nodiscard]] status trim(const storage::partition_id& of, std::int64_t before) override;
  [[nodiscard]] result<storage::offset_range> offsets(const storage::partition_id& of) override;
  [[nodiscard]] result<std::int64_t> offset_at(const storage::partition_id& of, wall_time time) override;
  [[nodiscard]] result<std::int64_t> append(const storage::partition_id& to,
                                            const storage::record_batch& records) override;
  [[nodiscard]] result<std::unique_ptr<storage::reader>> open_reader() override;
  [[nodiscard]] std::size_t max_record_bytes() const override { return options_.max_record_bytes; }
  [[nodiscard]] result<storage::opened_session> open_session(const storage::session_spec& spec) override;
  [[nodiscard]] result<std::vector<storage::committed_offset>>
  committed(const std::string& group, const std::vector<storage::partition_id>& of) override;

private:
  friend class simulated_session;
  friend class simulated_reader;
  /// The end of a transaction that is still on its way.
  struct late_end {
    std::string producer;
    std::uint64_t epoch = 0;
  };

  [[nodiscard]] bool chance(double probability);
  [[nodiscard]] status known(const storage::partition_id& of) const;
  [[nodiscard]] storage::topic_info info(const storage::topic_spec& spec) const;
  void arrive(const late_end& end);

  simulated_log_options options_;
  simulated_faults faults_;
  std::shared_ptr<simulated_broker> broker_;
  std::mt19937_64 random_;
  time_point now_{};
  std::vector<late_end> late_;
  mutable std::mutex guard_;
  std::condition_variable appended_;
};

} // namespace penstock::test
