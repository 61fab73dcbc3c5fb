// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.hpp"
#include "storage/log.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace penstock::test {

/// A record as the simulated broker keeps it.
struct simulated_record {
  std::int64_t offset = 0;
  wall_time timestamp = 0;
  std::string key;
  std::string value;
  std::string headers;
  bool tombstone = false;
};

/// The far side of the simulated log: topics, transactions, fencing, committed offsets and state, as one Kafka cluster
/// (markers and aborted records occupy offsets) or one embedded log (dense offsets) keeps them. Deterministic; one
/// thread at a time.
class simulated_broker {
public:
  using transaction_id = std::size_t;

  /// @param markers      transactions leave markers, as on Kafka
  /// @param no_fencing   planted bug: an old owner is as good as the new one, and opening aborts nothing
  simulated_broker(bool markers, bool no_fencing) : markers_(markers), no_fencing_(no_fencing) {}

  // -- topics -----------------------------------------------------------------

  [[nodiscard]] bool has(const storage::partition_id& of) const { return partitions_.contains(of); }
  void add_topic(const storage::topic_spec& spec);
  void remove_topic(const std::string& name);
  [[nodiscard]] const std::map<std::string, storage::topic_spec>& topics() const { return topics_; }
  void trim(const storage::partition_id& of, std::int64_t before);
  [[nodiscard]] std::int64_t log_start(const storage::partition_id& of) const { return partitions_.at(of).start; }
  /// First offset that a reader of committed records may not see yet.
  [[nodiscard]] std::int64_t last_stable(const storage::partition_id& of) const;

  // -- records ----------------------------------------------------------------

  std::int64_t append(const storage::partition_id& to, const storage::record_batch& records,
                      std::optional<transaction_id> in = std::nullopt);
  /// The committed record at an offset below `last_stable`; none for a marker or an aborted record.
  [[nodiscard]] const simulated_record* visible(const storage::partition_id& of, std::int64_t offset) const;
  /// All committed records that a partition ever had, trimmed ones too.
  [[nodiscard]] std::vector<const simulated_record*> visible(const storage::partition_id& of) const;

  // -- producers --------------------------------------------------------------

  /// Fences earlier producers of the id, aborts what they left open; returns the new epoch.
  std::uint64_t fence(const std::string& producer);
  [[nodiscard]] bool is_current(const std::string& producer, std::uint64_t epoch) const;
  [[nodiscard]] std::uint64_t count_opening(const std::string& producer) { return ++producers_[producer].openings; }

  [[nodiscard]] transaction_id begin(const std::string& producer, const std::string& group, time_point now);
  [[nodiscard]] bool is_open(transaction_id which) const { return transactions_[which].state == state::open; }
  void add_offsets(transaction_id which, const storage::commit_request& request);
  void end(transaction_id which, bool commit);
  /// The open transaction of a producer.
  [[nodiscard]] std::optional<transaction_id> open_of(const std::string& producer) const;
  /// Aborts transactions that are older than `timeout` and fences their producers, as a coordinator does.
  void expire(time_point now, duration timeout);

  // -- groups -----------------------------------------------------------------

  /// Takes offsets and state over at once, outside of any transaction.
  void apply(const std::string& group, const storage::commit_request& request);
  [[nodiscard]] std::optional<std::int64_t> offset(const std::string& group, const storage::partition_id& of) const;
  [[nodiscard]] std::optional<std::string> state_of(const std::string& group, const storage::partition_id& of,
                                                    const std::string& key) const;

private:
  enum class state : std::uint8_t { open, committed, aborted };
  struct entry {
    simulated_record record;
    std::optional<transaction_id> in;
    bool marker = false;
  };
  struct partition {
    std::int64_t start = 0;
    std::vector<entry> entries; ///< index = offset
    std::map<transaction_id, std::int64_t> open;
  };
  struct transaction {
    std::string producer;
    std::string group;
    time_point began{};
    enum state state = state::open;
    std::vector<storage::partition_id> touched;
    storage::commit_request pending; ///< offsets and state
  };
  struct producer_state {
    std::uint64_t openings = 0;
    std::uint64_t epoch = 0;
  };
  struct group_state {
    std::map<storage::partition_id, std::int64_t> offsets;
    std::map<std::pair<storage::partition_id, std::string>, std::string> state;
  };

  bool markers_;
  bool no_fencing_;
  std::map<std::string, storage::topic_spec> topics_;
  std::map<storage::partition_id, partition> partitions_;
  std::vector<transaction> transactions_;
  std::map<std::string, producer_state> producers_;
  std::map<std::string, group_state> groups_;
};

} // namespace penstock::test
