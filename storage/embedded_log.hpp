// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/append_watch.hpp"
#include "storage/log.hpp"
#include "storage/topic_table.hpp"

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace penstock::storage {

struct block_header;
class directory_lock;
class embedded_store;
class staged_commit;
class store_health;

/// The log in one directory of this machine, held by one process: one RocksDB, in which the records, offsets and state
/// of a commit are a single atomic write.
///
///     DIR/HOLDER   who holds the directory; locked while it does
///     DIR/FORMAT   version of what is in it, looked at before anything is touched
///     DIR/db       RocksDB: column families meta (topics, log starts, epochs, offsets), state, blocks
class embedded_log final : public log {
public:
  [[nodiscard]] static result<std::unique_ptr<embedded_log>> open(const std::filesystem::path& directory,
                                                                  const log_options& options);
  ~embedded_log() override;

  // -- log ------------------------------------------------------------------

  status create_topic(const topic_spec& spec) override;
  result<std::vector<topic_info>> topics() override;
  result<topic_info> describe(const std::string& topic) override;
  /// Committed offsets in the topic and state kept under its name go with it.
  status delete_topic(const std::string& topic) override;
  status trim(const partition_id& of, std::int64_t before) override;
  result<offset_range> offsets(const partition_id& of) override;
  result<std::int64_t> offset_at(const partition_id& of, wall_time time) override;
  result<std::int64_t> append(const partition_id& to, const record_batch& records) override;
  result<std::unique_ptr<reader>> open_reader() override;
  std::size_t max_record_bytes() const override;
  result<opened_session> open_session(const session_spec& spec) override;
  result<std::vector<committed_offset>> committed(const std::string& group,
                                                  const std::vector<partition_id>& of) override;

  // -- retention --------------------------------------------------------------

  /// Moves the starts of all partitions to what their topics' retention leaves at `now`. A thread of the log does this
  /// every minute.
  [[nodiscard]] status enforce_retention(wall_time now);

  // -- for its readers and sessions -------------------------------------------

  [[nodiscard]] status healthy() const;
  [[nodiscard]] const topic_table& table() const { return *table_; }
  [[nodiscard]] const std::shared_ptr<append_watch>& watch() const { return watch_; }
  [[nodiscard]] embedded_store& store() { return *store_; }

  /// Calls `visit` with one block after the other, from that which holds `from` on, until it returns false or the
  /// visible end. `block` is the offset at which that first block begins, which spares the search for it, or −1.
  /// `errc::try_again` when `from` is below the start by now. An error of `visit` ends the visit and breaks the log: it
  /// found a damaged block.
  [[nodiscard]] status visit_blocks(partition_ref of, std::int64_t from, std::int64_t block,
                                    const std::function<result<bool>(const block_header&)>& visit);

  [[nodiscard]] commit_result commit(const session_spec& who, std::uint64_t epoch, const commit_request& request);
  [[nodiscard]] result<std::optional<std::string>> read_state(const session_spec& who, std::uint64_t epoch,
                                                              const partition_id& of, std::string_view key);

private:
  embedded_log(std::filesystem::path directory, const log_options& options);

  [[nodiscard]] status prepare_directory();
  [[nodiscard]] status load();
  [[nodiscard]] result<partition_tail> load_tail(partition_ref of);
  [[nodiscard]] status writable() const;
  [[nodiscard]] topic_info info_of(const topic_entry& topic);
  [[nodiscard]] result<std::uint64_t> epoch_of(const std::string& session);
  [[nodiscard]] result<committed_offset> committed_in(const std::string& group, const partition_id& of);
  [[nodiscard]] status set_start(partition_ref of, partition_tail tail, std::int64_t start);
  [[nodiscard]] result<std::int64_t> retained_from(const topic_spec& spec, partition_ref of, const partition_tail& tail,
                                                   wall_time now);
  [[nodiscard]] status stage(staged_commit& into, const session_spec& who, const commit_request& request);
  [[nodiscard]] status write(staged_commit& staged);
  void publish(const staged_commit& staged);
  void retention_loop();

  const std::filesystem::path directory_;
  const log_options options_;
  std::unique_ptr<directory_lock> lock_; ///< released last: declared before the store
  std::shared_ptr<topic_table> table_;
  std::shared_ptr<append_watch> watch_;
  std::shared_ptr<store_health> health_;
  std::unique_ptr<embedded_store> store_;

  /// Serialises everything that writes: epoch check, allocation of offsets and the write itself are one step.
  std::mutex write_mutex_;
  std::unordered_map<std::string, std::uint64_t> epochs_; ///< under `write_mutex_`

  std::mutex stop_mutex_;
  std::condition_variable stopped_;
  bool stop_ = false;
  std::thread retention_;
};

} // namespace penstock::storage
