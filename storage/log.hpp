// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "base/units.hpp"
#include "storage/record_batch.hpp"

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace penstock::storage {

/// One partition of one topic.
struct partition_id {
  std::string topic;
  std::int32_t partition = 0;
  auto operator<=>(const partition_id&) const = default;
  /// `topic/3`
  [[nodiscard]] std::string text() const { return topic + "/" + std::to_string(partition); }
};

/// A place to read from, or up to which was read: the offset of the next record.
struct position {
  partition_id of;
  std::int64_t next = 0;
  bool operator==(const position&) const = default;
};

/// What a user declares of a topic.
struct topic_spec {
  std::string name;
  std::int32_t partitions = 1;
  std::optional<duration> retention;            ///< age after which records may go; none = keep
  std::optional<std::uint64_t> retention_bytes; ///< per partition; none = keep
  bool compacted = false;                       ///< the last record of each key is enough
  std::int16_t replication = 1;                 ///< Kafka only
};

/// First and one-past-last visible offset of a partition.
struct offset_range {
  std::int64_t start = 0;
  std::int64_t end = 0;
};

struct topic_info {
  topic_spec spec;
  std::vector<offset_range> partitions;
  std::uint64_t bytes = 0; ///< on disk, approximately
};

// -- reading ------------------------------------------------------------------

/// What a poll found in one partition.
struct fetched {
  partition_id from;
  record_batch records;
  std::int64_t next = 0; ///< where reading goes on
  bool at_end = false;   ///< nothing more is visible behind these records at this moment
  /// Set, with no records, when the wanted offset is no longer there: the log now starts at this offset. Reading stands
  /// still until the reader is assigned anew.
  std::optional<std::int64_t> gap;
};

/// Reads committed records of assigned partitions, fairly in turn. Belongs to one thread; only `wake` may come from
/// others.
class reader {
public:
  virtual ~reader() = default;

  /// Replaces all that was assigned. `errc::not_found` names a topic or partition that does not exist.
  [[nodiscard]] virtual status assign(const std::vector<position>& positions) = 0;

  /// Takes what is there, at most about `max_records` and `max_bytes` in all, at least one record if there is one;
  /// waits up to `wait` for the first (woken by an append, without polling). Nothing there in time = empty.
  [[nodiscard]] virtual result<std::vector<fetched>> poll(std::size_t max_records, std::size_t max_bytes,
                                                          duration wait) = 0;

  /// Makes the current or the next `poll` return at once.
  virtual void wake() = 0;
};

// -- sessions -----------------------------------------------------------------

/// Who opens a session, and for what.
struct session_spec {
  std::string id;    ///< `<cluster>.<application>.<stream>.<shard>`: one session at a time, the newest wins
  std::string group; ///< `<cluster>.<application>.<stream>`: owner of offsets and state, the same for all shards
  std::vector<partition_id> inputs; ///< partitions whose offsets this session commits
  std::vector<partition_id> states; ///< partitions whose state it reads and writes: the inputs, or a source's own name
  std::uint64_t assignment = 0;     ///< number of the assignment it stands on
  std::uint64_t incarnation = 0;    ///< of the node
};

struct output {
  partition_id to;
  record_batch records; ///< offsets are given by the log
};

struct state_change {
  partition_id of;
  std::string key;
  std::optional<std::string> value; ///< none = delete
};

/// What becomes visible together or not at all.
struct commit_request {
  std::vector<output> outputs;
  std::vector<position> offsets;
  std::vector<state_change> state;
};

/// The four ends of a commit. There is no fifth.
enum class commit_outcome : std::uint8_t {
  committed,
  /// Nothing happened. Safe to go back to the committed offsets and try again in this session.
  aborted,
  /// A newer session of the same id exists (or the own transaction timed out, which looks the same): close.
  fenced,
  /// It may or may not have happened. The session is dead: open a new one and believe the committed offsets it returns.
  in_doubt,
};

[[nodiscard]] const char* name_of(commit_outcome outcome);

struct commit_result {
  commit_outcome outcome = commit_outcome::committed;
  std::string reason; ///< empty when committed
};

/// The right to write for one shard or source. Belongs to one thread. Closing it (destructor) aborts what is open and
/// fences nobody.
class session {
public:
  virtual ~session() = default;

  /// Number of this session: grows by one each time the id is opened.
  [[nodiscard]] virtual std::uint64_t epoch() const = 0;

  /// Committed state of a partition under a key; none when there is no such key.
  [[nodiscard]] virtual result<std::optional<std::string>> read_state(const partition_id& of, std::string_view key) = 0;

  /// Ends in exactly one of the four outcomes. After `fenced` and `in_doubt` every further commit gives the same.
  [[nodiscard]] virtual commit_result commit(const commit_request& request) = 0;
};

struct committed_offset {
  partition_id of;
  std::optional<std::int64_t> next; ///< none = never committed
};

struct opened_session {
  std::unique_ptr<class session> session;
  std::vector<committed_offset> offsets; ///< of the spec's inputs, in their order
};

// -- the log ------------------------------------------------------------------

/// The durable, partitioned, transactional store of topics. Thread-safe. Readers and sessions must not outlive it.
///
/// Every call may end in `errc::unavailable` (I/O error, disk full, no broker). On the embedded log that is final for
/// this object: nothing further is written, and only a new process, or opening it anew, goes on.
class log {
public:
  virtual ~log() = default;

  // -- topics ---------------------------------------------------------------

  /// Creates a topic; one that exists with the same number of partitions is fine, with another is `errc::conflict`.
  [[nodiscard]] virtual status create_topic(const topic_spec& spec) = 0;
  [[nodiscard]] virtual result<std::vector<topic_info>> topics() = 0;
  /// `errc::not_found` when there is no such topic.
  [[nodiscard]] virtual result<topic_info> describe(const std::string& topic) = 0;
  [[nodiscard]] virtual status delete_topic(const std::string& topic) = 0;
  /// Drops records below `before`; whole blocks only, so some may stay on disk, but no reader sees them again.
  [[nodiscard]] virtual status trim(const partition_id& of, std::int64_t before) = 0;
  [[nodiscard]] virtual result<offset_range> offsets(const partition_id& of) = 0;
  /// First offset whose timestamp is at or after `time`; the end when there is none.
  [[nodiscard]] virtual result<std::int64_t> offset_at(const partition_id& of, wall_time time) = 0;

  // -- records --------------------------------------------------------------

  /// Appends outside any session, durably, and returns the first record's offset. At-least-once for a caller that
  /// retries.
  [[nodiscard]] virtual result<std::int64_t> append(const partition_id& to, const record_batch& records) = 0;
  [[nodiscard]] virtual result<std::unique_ptr<reader>> open_reader() = 0;
  /// Largest key + headers + value that a record may have, in bytes. Larger ones are refused with `errc::invalid`.
  [[nodiscard]] virtual std::size_t max_record_bytes() const = 0;

  // -- sessions -------------------------------------------------------------

  /// Fences every earlier session of the id for good, aborts its open commit, returns the committed offsets.
  [[nodiscard]] virtual result<opened_session> open_session(const session_spec& spec) = 0;
  /// Committed offsets of a group as anybody may look at them, without a session.
  [[nodiscard]] virtual result<std::vector<committed_offset>> committed(const std::string& group,
                                                                        const std::vector<partition_id>& of) = 0;
};

// -- opening ------------------------------------------------------------------

enum class durability : std::uint8_t {
  process, ///< survives the death of the process, not of the machine
  machine, ///< every commit is synced to disk before it is reported
};

struct log_options {
  enum durability durability = durability::machine;
  bool allow_tmpfs = false; ///< a directory on tmpfs is refused unless this is set
  bool read_only = false;   ///< look at a directory that no process holds; every write is `errc::permission`
  std::string holder; ///< what a second process is told about us, such as `node alpha, pid 4711, http://127.0.0.1:7780`
  std::uint64_t memory = std::uint64_t{8} << 20; ///< write buffers and block cache together, bytes
};

/// Opens a log by URL: `rocksdb:DIR`, or `kafka://host:port,…`.
///
/// `errc::conflict` when another process holds the directory (its holder is named), `invalid` when a file in it is
/// damaged (trying again cannot help), `permission`, `unavailable`, `configuration` for an unknown scheme, a tmpfs
/// directory, or one written by a newer version.
[[nodiscard]] result<std::unique_ptr<log>> open_log(const std::string& url, const log_options& options);

} // namespace penstock::storage
