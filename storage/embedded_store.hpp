// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/log.hpp"
#include "storage/topic_table.hpp"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace penstock::storage {

/// Whether a store still works. The first failure is final: RocksDB may go on after some errors, but then nobody could
/// say what of the failed write comes back after a restart. Thread-safe.
class store_health {
public:
  /// @param on_failure  called once, from any thread
  store_health(std::filesystem::path directory, std::function<void()> on_failure);

  [[nodiscard]] status check() const;
  /// Notes a failure and returns it as `errc::unavailable`.
  error fail(std::string_view what, const rocksdb::Status& why);
  error fail(std::string_view what, const error& why);

private:
  error note(std::string text);

  std::filesystem::path directory_;
  std::function<void()> on_failure_;
  std::atomic<bool> failed_ = false;
  mutable std::mutex mutex_;
  std::string reason_;
};

/// The one RocksDB of an embedded log, with the options that make its promises: WAL always on, one atomic write at a
/// time, every error final. Thread-safe.
class embedded_store {
public:
  enum class family : std::uint8_t { meta, state, blocks };

  /// @param topics  tells compaction which blocks no reader can see any more
  [[nodiscard]] static result<std::unique_ptr<embedded_store>> open(const std::filesystem::path& directory,
                                                                    const log_options& options,
                                                                    const std::shared_ptr<topic_table>& topics,
                                                                    const std::shared_ptr<store_health>& health);
  ~embedded_store();
  embedded_store(const embedded_store&) = delete;
  embedded_store& operator=(const embedded_store&) = delete;

  [[nodiscard]] rocksdb::ColumnFamilyHandle* handle(family of) const { return handles_[static_cast<std::size_t>(of)]; }

  /// All of the batch or nothing. After an error it may be either, and the store is dead.
  [[nodiscard]] status write(rocksdb::WriteBatch& batch, bool synced);
  [[nodiscard]] result<std::optional<std::string>> read(family of, std::string_view key);
  /// A view of this moment. Check `finish` when it ends.
  [[nodiscard]] std::unique_ptr<rocksdb::Iterator> scan(family of);
  [[nodiscard]] status finish(const rocksdb::Iterator& scan);
  /// Frees the files that lie in [from, to) with all their keys.
  [[nodiscard]] status drop_files(family of, const std::string& from, const std::string& to);
  /// Of the keys in [from, to), in files and in memory.
  [[nodiscard]] std::uint64_t approximate_bytes(family of, const std::string& from, const std::string& to);

private:
  explicit embedded_store(std::shared_ptr<store_health> health) : health_(std::move(health)) {}

  std::shared_ptr<store_health> health_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> all_handles_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_; ///< by family
};

[[nodiscard]] inline rocksdb::Slice slice(std::string_view bytes) {
  return {bytes.data(), bytes.size()};
}
[[nodiscard]] inline std::string_view view(const rocksdb::Slice& bytes) {
  return {bytes.data(), bytes.size()};
}

} // namespace penstock::storage
