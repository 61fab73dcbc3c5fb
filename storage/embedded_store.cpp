// SPDX-License-Identifier: Apache-2.0
#include "storage/embedded_store.hpp"

#include "base/logging.hpp"
#include "storage/key_codec.hpp"
#include "storage/store_options.hpp"

#include <rocksdb/convenience.h>

#include <algorithm>
#include <array>

namespace penstock::storage {

namespace {

constexpr std::array<const char*, 3> family_names = {"meta", "state", "blocks"};

bool is_full(const std::string& text) {
  return text.find("No space left") != std::string::npos || text.find("Disk quota") != std::string::npos;
}

error opening_error(const std::filesystem::path& directory, const rocksdb::Status& why) {
  auto text = why.ToString();
  if (is_full(text))
    return fail(errc::unavailable, "cannot open log directory {}: the disk is full ({}); free space and start again",
                directory.string(), text);
  if (text.find("Permission denied") != std::string::npos)
    return fail(errc::permission, "cannot open log directory {}: {}", directory.string(), text);
  if (why.IsCorruption())
    return fail(errc::invalid,
                "cannot open log directory {}: a file in it is damaged ({}); restore the directory from a backup",
                directory.string(), text);
  return fail(errc::unavailable, "cannot open log directory {}: {}", directory.string(), text);
}

} // namespace

// -- health -------------------------------------------------------------------

store_health::store_health(std::filesystem::path directory, std::function<void()> on_failure)
    : directory_(std::move(directory)), on_failure_(std::move(on_failure)) {}

status store_health::check() const {
  if (!failed_.load(std::memory_order_acquire))
    return {};
  std::lock_guard lock(mutex_);
  return error(errc::unavailable, reason_);
}

error store_health::note(std::string text) {
  bool first = false;
  {
    std::lock_guard lock(mutex_);
    if (reason_.empty()) {
      reason_ = std::move(text);
      first = true;
    }
    failed_.store(true, std::memory_order_release);
    text = reason_;
  }
  if (first) {
    logging::error("log.broken", text);
    on_failure_();
  }
  return {errc::unavailable, text};
}

error store_health::fail(std::string_view what, const rocksdb::Status& why) {
  auto text = why.ToString();
  if (is_full(text))
    return note(fmt::format("cannot {} log directory {}: the disk is full ({}); free space there, then start again: "
                            "nothing committed is lost",
                            what, directory_.string(), text));
  if (why.IsCorruption())
    return note(fmt::format("cannot {} log directory {}: a file in it is damaged ({}); restore the directory from a "
                            "backup, or delete it if its data can be made again",
                            what, directory_.string(), text));
  return note(fmt::format("cannot {} log directory {}: {}; see to the disk, then start again", what,
                          directory_.string(), text));
}

error store_health::fail(std::string_view what, const error& why) {
  return note(fmt::format("cannot {} log directory {}: {}; restore the directory from a backup, or delete it if its "
                          "data can be made again",
                          what, directory_.string(), why.text()));
}

// -- opening ------------------------------------------------------------------

result<std::unique_ptr<embedded_store>> embedded_store::open(const std::filesystem::path& directory,
                                                             const log_options& options,
                                                             const std::shared_ptr<topic_table>& topics,
                                                             const std::shared_ptr<store_health>& health) {
  const auto path = (directory / "db").string();
  const auto settings = store_options::make(options, topics, health);
  std::vector<std::string> present;
  if (auto listed = rocksdb::DB::ListColumnFamilies(settings.database, path, &present); listed.ok()) {
    for (const auto& name : present)
      if (name != "default" && std::find(family_names.begin(), family_names.end(), name) == family_names.end())
        return fail(errc::configuration,
                    "log directory {} was written by a newer version of penstock (it has a column family {}); use that "
                    "version",
                    directory.string(), name);
  } else if (!listed.IsNotFound() && !listed.IsPathNotFound() && !listed.IsIOError()) {
    return opening_error(directory, listed);
  }
  std::vector<rocksdb::ColumnFamilyDescriptor> families = {
      {"default", settings.meta}, {"meta", settings.meta}, {"state", settings.state}, {"blocks", settings.blocks}};
  std::unique_ptr<embedded_store> out(new embedded_store(health));
  rocksdb::DB* db = nullptr;
  auto opened = options.read_only
                    ? rocksdb::DB::OpenForReadOnly(settings.database, path, families, &out->all_handles_, &db)
                    : rocksdb::DB::Open(settings.database, path, families, &out->all_handles_, &db);
  if (!opened.ok())
    return opening_error(directory, opened);
  out->db_.reset(db);
  out->handles_.assign(out->all_handles_.begin() + 1, out->all_handles_.end());
  return out;
}

embedded_store::~embedded_store() {
  if (!db_)
    return;
  for (auto* each : all_handles_)
    (void)db_->DestroyColumnFamilyHandle(each);
  (void)db_->Close();
}

// -- access -------------------------------------------------------------------

status embedded_store::write(rocksdb::WriteBatch& batch, bool synced) {
  rocksdb::WriteOptions how;
  how.sync = synced;
  if (auto written = db_->Write(how, &batch); !written.ok())
    return health_->fail("write to", written);
  return {};
}

result<std::optional<std::string>> embedded_store::read(family of, std::string_view key) {
  std::string value;
  auto got = db_->Get(rocksdb::ReadOptions(), handle(of), slice(key), &value);
  if (got.IsNotFound())
    return std::optional<std::string>();
  if (!got.ok())
    return health_->fail("read from", got);
  return std::optional<std::string>(std::move(value));
}

std::unique_ptr<rocksdb::Iterator> embedded_store::scan(family of) {
  return std::unique_ptr<rocksdb::Iterator>(db_->NewIterator(rocksdb::ReadOptions(), handle(of)));
}

status embedded_store::finish(const rocksdb::Iterator& scan) {
  if (scan.Valid() || scan.status().ok())
    return {};
  return health_->fail("read from", scan.status());
}

status embedded_store::drop_files(family of, const std::string& from, const std::string& to) {
  auto begin = slice(from);
  auto end = slice(to);
  auto dropped = rocksdb::DeleteFilesInRange(db_.get(), handle(of), &begin, &end, false);
  if (!dropped.ok())
    return health_->fail("trim", dropped);
  return {};
}

std::uint64_t embedded_store::approximate_bytes(family of, const std::string& from, const std::string& to) {
  rocksdb::SizeApproximationOptions how;
  how.include_files = true;
  how.include_memtables = true;
  rocksdb::Range range(from, to);
  std::uint64_t size = 0;
  if (!db_->GetApproximateSizes(how, handle(of), &range, 1, &size).ok())
    return 0;
  return size;
}

} // namespace penstock::storage
