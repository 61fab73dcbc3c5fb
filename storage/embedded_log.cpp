// SPDX-License-Identifier: Apache-2.0
#include "storage/embedded_log.hpp"

#include "base/bytes.hpp"
#include "storage/block_codec.hpp"
#include "storage/directory_lock.hpp"
#include "storage/embedded_reader.hpp"
#include "storage/embedded_store.hpp"
#include "storage/key_codec.hpp"

#include <algorithm>
#include <limits>

namespace penstock::storage {

namespace {

status check_name(const std::string& name) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  if (name.empty() || name.size() > 249 || name.find_first_not_of(allowed) != std::string::npos || name == "." ||
      name == "..")
    return fail(errc::invalid, "topic name \"{}\" is not allowed: use 1 to 249 letters, digits, '.', '_' and '-'",
                name);
  return {};
}

void delete_all(rocksdb::Iterator& scan, const std::string& prefix, rocksdb::ColumnFamilyHandle* family,
                rocksdb::WriteBatch& into) {
  for (scan.Seek(prefix); scan.Valid() && scan.key().starts_with(prefix); scan.Next())
    (void)into.Delete(family, scan.key());
}

} // namespace

// -- topics -------------------------------------------------------------------

status embedded_log::create_topic(const topic_spec& spec) {
  if (auto fine = writable(); !fine)
    return fine;
  if (auto fine = check_name(spec.name); !fine)
    return fine;
  constexpr std::int32_t most = 10'000;
  if (spec.partitions < 1 || spec.partitions > most)
    return fail(errc::invalid, "topic {} cannot have {} partitions: use 1 to {}", spec.name, spec.partitions, most);
  std::lock_guard lock(write_mutex_);
  topic_entry entry;
  rocksdb::WriteBatch batch;
  auto* meta = store_->handle(embedded_store::family::meta);
  if (auto known = table_->topic(spec.name)) {
    if (known->spec.partitions != spec.partitions)
      return fail(errc::conflict,
                  "topic {} exists with {} partitions and cannot get {}: keep the number, or delete the topic first",
                  spec.name, known->spec.partitions, spec.partitions);
    entry = std::move(*known);
    auto before = encode_topic(entry);
    entry.spec = spec;
    if (encode_topic(entry) == before)
      return {};
  } else {
    auto next = store_->read(embedded_store::family::meta, keys::next_topic());
    if (!next)
      return next.error();
    entry.id = *next ? byte_reader(**next).number<std::uint32_t>() : 1;
    entry.partitions.resize(static_cast<std::size_t>(spec.partitions));
    byte_writer following;
    following.number(entry.id + 1);
    (void)batch.Put(meta, keys::next_topic(), following.bytes());
  }
  entry.spec = spec;
  (void)batch.Put(meta, keys::topic(spec.name), encode_topic(entry));
  if (auto written = store_->write(batch, true); !written)
    return written;
  table_->add(std::move(entry));
  return {};
}

topic_info embedded_log::info_of(const topic_entry& topic) {
  topic_info out;
  out.spec = topic.spec;
  for (const auto& tail : topic.partitions)
    out.partitions.push_back({tail.start, tail.end});
  out.bytes = store_->approximate_bytes(embedded_store::family::blocks, keys::topic_blocks(topic.id),
                                        keys::topic_blocks(topic.id + 1));
  return out;
}

result<std::vector<topic_info>> embedded_log::topics() {
  if (auto fine = healthy(); !fine)
    return fine.error();
  std::vector<topic_info> out;
  for (const auto& topic : table_->all())
    out.push_back(info_of(topic));
  return out;
}

result<topic_info> embedded_log::describe(const std::string& topic) {
  if (auto fine = healthy(); !fine)
    return fine.error();
  auto found = table_->topic(topic);
  if (!found)
    return found.error();
  return info_of(*found);
}

status embedded_log::delete_topic(const std::string& topic) {
  if (auto fine = writable(); !fine)
    return fine;
  std::lock_guard lock(write_mutex_);
  auto found = table_->topic(topic);
  if (!found)
    return found.error();
  rocksdb::WriteBatch batch;
  auto* meta = store_->handle(embedded_store::family::meta);
  (void)batch.Delete(meta, keys::topic(topic));
  for (std::size_t i = 0; i < found->partitions.size(); ++i)
    (void)batch.Delete(meta, keys::log_start(found->id, static_cast<std::int32_t>(i)));
  auto offsets = store_->scan(embedded_store::family::meta);
  delete_all(*offsets, keys::offsets_of_topic(found->id), meta, batch);
  if (auto fine = store_->finish(*offsets); !fine)
    return fine;
  auto state = store_->scan(embedded_store::family::state);
  delete_all(*state, keys::state_of_topic(topic), store_->handle(embedded_store::family::state), batch);
  if (auto fine = store_->finish(*state); !fine)
    return fine;
  if (auto written = store_->write(batch, true); !written)
    return written;
  table_->remove(topic);
  watch_->all_changed();
  return store_->drop_files(embedded_store::family::blocks, keys::topic_blocks(found->id),
                            keys::topic_blocks(found->id + 1));
}

// -- offsets ------------------------------------------------------------------

result<offset_range> embedded_log::offsets(const partition_id& of) {
  if (auto fine = healthy(); !fine)
    return fine.error();
  auto found = table_->find(of);
  if (!found)
    return found.error();
  return offset_range{found->tail.start, found->tail.end};
}

result<std::int64_t> embedded_log::offset_at(const partition_id& of, wall_time time) {
  if (auto fine = healthy(); !fine)
    return fine.error();
  auto found = table_->find(of);
  if (!found)
    return found.error();
  // The newest timestamp so far never falls from block to block, so the block with the first record at or after the
  // time can be searched by halves.
  auto low = found->tail.start;
  auto high = found->tail.end;
  while (low < high) {
    auto middle = low + (high - low) / 2;
    auto looked = visit_blocks(found->ref, middle, -1, [&](const block_header& block) -> result<bool> {
      if (block.newest_so_far < time)
        low = block.end();
      else
        high = std::max(block.base, low);
      return false;
    });
    if (!looked)
      return looked.error();
  }
  auto answer = found->tail.end;
  std::string scratch;
  auto scanned = visit_blocks(found->ref, low, -1, [&](const block_header& block) -> result<bool> {
    auto records = block_view::open(block, scratch);
    if (!records)
      return records.error();
    for (auto i = std::max<std::int64_t>(low - block.base, 0); i < static_cast<std::int64_t>(block.count); ++i)
      if (records->timestamp(static_cast<std::size_t>(i)) >= time) {
        answer = block.base + i;
        return false;
      }
    return true;
  });
  if (!scanned)
    return scanned.error();
  return answer;
}

status embedded_log::visit_blocks(partition_ref of, std::int64_t from, std::int64_t block,
                                  const std::function<result<bool>(const block_header&)>& visit) {
  auto gone = [] { return fail(errc::not_found, "the topic was deleted while it was being read"); };
  auto tail = table_->tail(of);
  if (!tail)
    return gone();
  // A hole is an error unless the start has moved over it since.
  auto hole = [&](std::int64_t at, const std::string& what) -> status {
    auto now = table_->tail(of);
    if (!now)
      return gone();
    if (at < now->start)
      return fail(errc::try_again, "offset {} lies before the start {}", at, now->start);
    return health_->fail("read from", fail(errc::invalid, "topic number {}, partition {}, offset {}: {}", of.topic,
                                           of.partition, at, what));
  };
  if (from < tail->start)
    return hole(from, "");
  if (from >= tail->end)
    return {};
  auto scan = store_->scan(embedded_store::family::blocks);
  if (block < 0) {
    scan->SeekForPrev(keys::block({of.topic, of.partition, from}));
    block = scan->Valid() && scan->key().size() == 16 ? keys::parse_block(view(scan->key()))->base : from;
  }
  scan->Seek(keys::block({of.topic, of.partition, block}));
  for (auto next = from; next < tail->end; scan->Next()) {
    if (auto fine = store_->finish(*scan); !fine)
      return fine;
    auto key = scan->Valid() ? keys::parse_block(view(scan->key())) : std::nullopt;
    if (!key || key->topic != of.topic || key->partition != of.partition)
      return hole(next, "records are missing");
    auto found = block_header::open(view(scan->value()));
    if (!found)
      return health_->fail("read from", found.error());
    if (found->base != key->base || found->base > next || found->end() <= next)
      return hole(next, "records are missing");
    auto more = visit(*found);
    if (!more)
      return health_->fail("read from", more.error());
    if (!*more)
      return {};
    next = found->end();
  }
  return {};
}

// -- retention ----------------------------------------------------------------

status embedded_log::set_start(partition_ref of, partition_tail tail, std::int64_t start) {
  byte_writer value;
  value.number(start);
  rocksdb::WriteBatch batch;
  (void)batch.Put(store_->handle(embedded_store::family::meta), keys::log_start(of.topic, of.partition), value.bytes());
  // Synced before anything is dropped: after a crash readers must not look for what is gone.
  if (auto written = store_->write(batch, true); !written)
    return written;
  tail.start = start;
  table_->set(of, tail);
  watch_->appended(of);
  auto scan = store_->scan(embedded_store::family::blocks);
  scan->SeekForPrev(keys::block({of.topic, of.partition, start}));
  auto kept = scan->Valid() ? keys::parse_block(view(scan->key())) : std::nullopt;
  if (auto fine = store_->finish(*scan); !fine)
    return fine;
  if (!kept || kept->topic != of.topic || kept->partition != of.partition)
    return {};
  scan.reset();
  return store_->drop_files(embedded_store::family::blocks, keys::block({of.topic, of.partition, 0}),
                            keys::block(*kept));
}

status embedded_log::trim(const partition_id& of, std::int64_t before) {
  if (auto fine = writable(); !fine)
    return fine;
  std::lock_guard lock(write_mutex_);
  auto found = table_->find(of);
  if (!found)
    return found.error();
  if (before > found->tail.end)
    return fail(errc::invalid, "cannot trim {} before offset {}: its records end at {}", of.text(), before,
                found->tail.end);
  if (before <= found->tail.start)
    return {};
  return set_start(found->ref, found->tail, before);
}

result<std::int64_t> embedded_log::retained_from(const topic_spec& spec, partition_ref of, const partition_tail& tail,
                                                 wall_time now) {
  auto start = tail.start;
  auto oldest = std::numeric_limits<wall_time>::min();
  if (spec.retention)
    oldest = now - std::chrono::duration_cast<std::chrono::milliseconds>(*spec.retention).count();
  auto visited = visit_blocks(of, start, -1, [&](const block_header& block) -> result<bool> {
    // What is left without this block must still be what was asked for.
    bool spare = spec.retention_bytes && tail.bytes - block.bytes_through() >= *spec.retention_bytes;
    if (!spare && block.newest >= oldest)
      return false;
    start = block.end();
    return true;
  });
  if (!visited)
    return visited.error();
  return start;
}

status embedded_log::enforce_retention(wall_time now) {
  if (auto fine = writable(); !fine)
    return fine;
  for (const auto& topic : table_->all()) {
    if (!topic.spec.retention && !topic.spec.retention_bytes)
      continue;
    for (std::size_t i = 0; i < topic.partitions.size(); ++i) {
      const partition_ref ref{topic.id, static_cast<std::int32_t>(i)};
      auto start = retained_from(topic.spec, ref, topic.partitions[i], now);
      if (!start && (start.error().code() == errc::try_again || start.error().code() == errc::not_found))
        continue; // trimmed or deleted meanwhile
      if (!start)
        return start.error();
      std::lock_guard lock(write_mutex_);
      auto tail = table_->tail(ref);
      if (!tail || *start <= tail->start)
        continue;
      if (auto moved = set_start(ref, *tail, *start); !moved)
        return moved;
    }
  }
  return {};
}

// -- readers ------------------------------------------------------------------

result<std::unique_ptr<reader>> embedded_log::open_reader() {
  if (auto fine = healthy(); !fine)
    return fine.error();
  return std::unique_ptr<reader>(std::make_unique<embedded_reader>(*this));
}

} // namespace penstock::storage
