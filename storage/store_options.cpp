// SPDX-License-Identifier: Apache-2.0
#include "storage/store_options.hpp"

#include "base/logging.hpp"
#include "storage/block_codec.hpp"
#include "storage/key_codec.hpp"

#include <rocksdb/cache.h>
#include <rocksdb/compaction_filter.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/table.h>
#include <rocksdb/write_buffer_manager.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>

namespace penstock::storage {

namespace {

/// Makes every background error final and stops RocksDB from mending itself behind our back.
class error_listener final : public rocksdb::EventListener {
public:
  explicit error_listener(std::shared_ptr<store_health> health) : health_(std::move(health)) {}

  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* why) override {
    (void)health_->fail("keep up", *why);
  }
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status, bool* recover) override {
    *recover = false;
  }

private:
  std::shared_ptr<store_health> health_;
};

/// Passes RocksDB's errors on as log lines; writes no file of its own.
class line_logger final : public rocksdb::Logger {
public:
  line_logger() : Logger(rocksdb::ERROR_LEVEL) {}
  using Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    std::array<char, 1024> text{};
    (void)std::vsnprintf(text.data(), text.size(), format, arguments);
    logging::debug("log.rocksdb", text.data());
  }
  void LogHeader(const char*, va_list) override {}
};

/// Drops the blocks of deleted topics and those that lie before their partition's start. A tombstone per range would
/// cost every reader; this costs compaction a lookup. Log starts are on disk before they are in the table.
class block_filter final : public rocksdb::CompactionFilter {
public:
  explicit block_filter(std::shared_ptr<const std::map<partition_ref, std::int64_t>> starts)
      : starts_(std::move(starts)) {}

  const char* Name() const override { return "penstock.block_filter"; }
  Decision FilterV2(int, const rocksdb::Slice& key, ValueType, const rocksdb::Slice& value, std::string*,
                    std::string*) const override {
    auto block = keys::parse_block(view(key));
    if (!starts_ || !block)
      return Decision::kKeep;
    auto start = starts_->find({block->topic, block->partition});
    if (start == starts_->end())
      return Decision::kRemove;
    auto count = static_cast<std::int64_t>(block_header::peek_count(view(value)));
    return count > 0 && block->base + count <= start->second ? Decision::kRemove : Decision::kKeep;
  }

private:
  std::shared_ptr<const std::map<partition_ref, std::int64_t>> starts_;
};

class block_filter_factory final : public rocksdb::CompactionFilterFactory {
public:
  explicit block_filter_factory(std::shared_ptr<topic_table> topics) : topics_(std::move(topics)) {}
  const char* Name() const override { return "penstock.block_filter_factory"; }
  std::unique_ptr<rocksdb::CompactionFilter>
  CreateCompactionFilter(const rocksdb::CompactionFilter::Context&) override {
    return std::make_unique<block_filter>(topics_->starts());
  }

private:
  std::shared_ptr<topic_table> topics_;
};

rocksdb::ColumnFamilyOptions family_options(std::size_t write_buffer, std::size_t block_size,
                                            const std::shared_ptr<rocksdb::Cache>& cache, bool point_lookups) {
  rocksdb::ColumnFamilyOptions out;
  out.write_buffer_size = write_buffer;
  out.arena_block_size = std::max<std::size_t>(write_buffer / 16, 4096);
  out.max_write_buffer_number = 2;
  out.compression = rocksdb::kLZ4Compression;
  rocksdb::BlockBasedTableOptions table;
  table.block_size = block_size;
  table.block_cache = cache;
  table.cache_index_and_filter_blocks = true;
  table.format_version = 5;
  // Keeps each block's first key in the index, so that placing a scan reads no block but the one it starts in.
  table.index_type = rocksdb::BlockBasedTableOptions::kBinarySearchWithFirstKey;
  if (point_lookups)
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  out.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return out;
}

rocksdb::DBOptions database_options(const log_options& options, std::uint64_t write_buffers,
                                    const std::shared_ptr<store_health>& health) {
  rocksdb::DBOptions out;
  out.create_if_missing = true;
  out.create_missing_column_families = true;
  out.paranoid_checks = true;
  out.write_buffer_manager = std::make_shared<rocksdb::WriteBufferManager>(write_buffers);
  // What is replayed when a killed process comes back: little enough to be ready in a fraction of a second.
  out.max_total_wal_size = std::max<std::uint64_t>(options.memory * 2, std::uint64_t{16} << 20);
  // A synced commit is never rolled back: only an unfinished last record may be missing. Without sync a machine that
  // died may have lost any part of the last seconds, and what is before the first hole is a consistent log.
  out.wal_recovery_mode = options.durability == durability::machine
                              ? rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords
                              : rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  out.max_background_flushes = 1;
  out.max_background_compactions = 1;
  out.max_bgerror_resume_count = 0;
  out.listeners.push_back(std::make_shared<error_listener>(health));
  out.info_log = std::make_shared<line_logger>();
  out.info_log_level = rocksdb::ERROR_LEVEL;
  out.stats_dump_period_sec = 0;
  out.stats_persist_period_sec = 0;
  out.max_open_files = 256;
  out.skip_stats_update_on_db_open = true;
  out.allow_concurrent_memtable_write = false;
  out.enable_write_thread_adaptive_yield = false;
  out.manifest_preallocation_size = 64 << 10;
  out.max_manifest_file_size = 8 << 20;
  return out;
}

} // namespace

store_options store_options::make(const log_options& options, const std::shared_ptr<topic_table>& topics,
                                  const std::shared_ptr<store_health>& health) {
  const auto memory = std::max<std::uint64_t>(options.memory, std::uint64_t{1} << 20);
  const auto write_buffers = memory / 4 * 3;
  auto cache = rocksdb::NewLRUCache(memory - write_buffers, 0);
  store_options out;
  out.database = database_options(options, write_buffers, health);
  out.meta = family_options(write_buffers / 8, 16 << 10, cache, true);
  out.state = family_options(write_buffers / 4, 16 << 10, cache, true);
  out.blocks = family_options(write_buffers / 2, 64 << 10, cache, false);
  // Records are written once and never changed: merging files buys nothing but fewer of them, so merge late and never
  // rewrite everything for the sake of "space amplification".
  out.blocks.compression = rocksdb::kNoCompression; // blocks come packed
  out.blocks.compaction_style = rocksdb::kCompactionStyleUniversal;
  out.blocks.compaction_options_universal.max_size_amplification_percent = 1'000'000;
  out.blocks.level0_file_num_compaction_trigger = 16;
  out.blocks.level0_slowdown_writes_trigger = 60;
  out.blocks.level0_stop_writes_trigger = 80;
  out.blocks.target_file_size_base = 16 << 20;
  out.blocks.compaction_filter_factory = std::make_shared<block_filter_factory>(topics);
  return out;
}

} // namespace penstock::storage
