// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"
#include "base/file.hpp"
#include "storage/block_codec.hpp"
#include "storage/directory_lock.hpp"
#include "storage/embedded_log.hpp"
#include "storage/embedded_store.hpp"
#include "storage/key_codec.hpp"

#include <charconv>
#include <limits>

#include <linux/magic.h>
#include <sys/vfs.h>

namespace penstock::storage {

namespace {

constexpr std::string_view format_prefix = "penstock log ";
constexpr int format_version = 1;

status check_file_system(const std::filesystem::path& directory) {
  std::error_code ignored;
  auto existing = std::filesystem::absolute(directory, ignored);
  while (!std::filesystem::exists(existing, ignored) && existing.has_relative_path())
    existing = existing.parent_path();
  struct statfs about {};
  if (statfs(existing.c_str(), &about) != 0)
    return system_error("cannot examine the file system of", existing, errno);
  constexpr auto ramfs = 0x858458f6;
  if (about.f_type == TMPFS_MAGIC || about.f_type == ramfs)
    return fail(errc::configuration,
                "log directory {} lies in memory (tmpfs), where a restart of the machine loses it; use a directory on "
                "a disk, or allow it by name (--allow-tmpfs)",
                directory.string());
  return {};
}

/// True when the directory has a format this build can read, false when it has none yet.
result<bool> check_format(const std::filesystem::path& directory) {
  auto text = read_file(directory / "FORMAT", 4096);
  if (!text && text.error().code() == errc::not_found)
    return false;
  if (!text)
    return text.error();
  int found = 0;
  std::string_view rest = *text;
  if (rest.starts_with(format_prefix))
    rest.remove_prefix(format_prefix.size());
  auto [end, code] = std::from_chars(rest.data(), rest.data() + rest.size(), found);
  if (rest.size() == text->size() || code != std::errc() || found < 1)
    return fail(errc::configuration, "{} does not say the format of a log; is this a log directory?",
                (directory / "FORMAT").string());
  if (found > format_version)
    return fail(errc::configuration,
                "log directory {} was written by a newer version of penstock (format {}; this one reads up to {}); use "
                "that version",
                directory.string(), found, format_version);
  return true;
}

} // namespace

// -- opening ------------------------------------------------------------------

embedded_log::embedded_log(std::filesystem::path directory, const log_options& options)
    : directory_(std::move(directory)), options_(options), table_(std::make_shared<topic_table>()),
      watch_(std::make_shared<append_watch>()),
      health_(std::make_shared<store_health>(directory_, [watch = watch_] { watch->all_changed(); })) {}

embedded_log::~embedded_log() {
  {
    std::lock_guard lock(stop_mutex_);
    stop_ = true;
  }
  stopped_.notify_all();
  if (retention_.joinable())
    retention_.join();
}

result<std::unique_ptr<embedded_log>> embedded_log::open(const std::filesystem::path& directory,
                                                         const log_options& options) {
  if (directory.empty())
    return fail(errc::configuration, "cannot open log: rocksdb: needs a directory, such as rocksdb:/var/lib/penstock");
  std::unique_ptr<embedded_log> out(new embedded_log(directory, options));
  if (auto prepared = out->prepare_directory(); !prepared)
    return prepared.error();
  auto store = embedded_store::open(directory, options, out->table_, out->health_);
  if (!store)
    return store.error();
  out->store_ = std::move(*store);
  if (auto loaded = out->load(); !loaded)
    return loaded.error();
  if (!options.read_only)
    out->retention_ = std::thread([log = out.get()] { log->retention_loop(); });
  return out;
}

status embedded_log::prepare_directory() {
  std::error_code failed;
  const bool exists = std::filesystem::exists(directory_, failed);
  if (options_.read_only && !exists)
    return fail(errc::not_found, "log directory {} does not exist", directory_.string());
  if (!options_.allow_tmpfs)
    if (auto fine = check_file_system(directory_); !fine)
      return fine;
  auto known = check_format(directory_);
  if (!known)
    return known.error();
  if (!options_.read_only) {
    std::filesystem::create_directories(directory_, failed);
    if (failed)
      return system_error("cannot create log directory", directory_, failed.value());
  }
  auto held = options_.read_only ? directory_lock::look(directory_) : directory_lock::hold(directory_, options_.holder);
  if (!held)
    return held.error();
  lock_ = std::move(*held);
  if (*known)
    return {};
  if (options_.read_only || std::filesystem::exists(directory_ / "db" / "CURRENT", failed))
    return fail(errc::configuration, "{} is no log directory: its file FORMAT is missing", directory_.string());
  return write_file_atomically(directory_ / "FORMAT", fmt::format("{}{}\n", format_prefix, format_version));
}

status embedded_log::load() {
  auto scan = store_->scan(embedded_store::family::meta);
  const auto prefix = keys::all_topics();
  for (scan->Seek(prefix); scan->Valid() && scan->key().starts_with(prefix); scan->Next()) {
    auto topic = decode_topic(view(scan->value()));
    if (!topic)
      return topic.error().in("cannot open log directory " + directory_.string());
    for (std::int32_t i = 0; i < topic->spec.partitions; ++i) {
      auto tail = load_tail({topic->id, i});
      if (!tail)
        return tail.error();
      topic->partitions.push_back(*tail);
    }
    table_->add(std::move(*topic));
  }
  if (auto fine = store_->finish(*scan); !fine)
    return fine;
  table_->set_loaded();
  return {};
}

result<partition_tail> embedded_log::load_tail(partition_ref of) {
  partition_tail out;
  auto start = store_->read(embedded_store::family::meta, keys::log_start(of.topic, of.partition));
  if (!start)
    return start.error();
  if (*start)
    out.start = byte_reader(**start).number<std::int64_t>();
  out.end = out.start;
  auto scan = store_->scan(embedded_store::family::blocks);
  scan->SeekForPrev(keys::block({of.topic, of.partition, std::numeric_limits<std::int64_t>::max()}));
  auto key = scan->Valid() ? keys::parse_block(view(scan->key())) : std::nullopt;
  if (auto fine = store_->finish(*scan); !fine)
    return fine.error();
  // No block is left when everything was trimmed: the offsets go on at the start.
  if (!key || key->topic != of.topic || key->partition != of.partition)
    return out;
  auto last = block_header::open(view(scan->value()));
  if (!last)
    return health_->fail("open", last.error());
  out.end = std::max(out.start, last->end());
  out.bytes = last->bytes_through();
  out.newest = last->newest_so_far;
  return out;
}

// -- state of the log -----------------------------------------------------------

status embedded_log::healthy() const {
  return health_->check();
}

status embedded_log::writable() const {
  if (options_.read_only)
    return fail(errc::permission, "log directory {} was opened for reading only", directory_.string());
  return healthy();
}

std::size_t embedded_log::max_record_bytes() const {
  return std::size_t{8} << 20;
}

void embedded_log::retention_loop() {
  constexpr auto interval = std::chrono::minutes(1);
  std::unique_lock lock(stop_mutex_);
  while (!stopped_.wait_for(lock, interval, [this] { return stop_; })) {
    lock.unlock();
    // A failure breaks the log, which then says so to everybody.
    (void)enforce_retention(system_clock().wall());
    lock.lock();
  }
}

} // namespace penstock::storage
