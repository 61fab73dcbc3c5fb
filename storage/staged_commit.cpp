// SPDX-License-Identifier: Apache-2.0
#include "storage/staged_commit.hpp"

#include "storage/embedded_store.hpp"
#include "storage/key_codec.hpp"

#include <algorithm>

namespace penstock::storage {

status staged_commit::add(const topic_table& table, const partition_id& to, const record_batch& records,
                          std::size_t max_record_bytes) {
  auto found = table.find(to);
  if (!found)
    return found.error();
  for (std::size_t i = 0; i < records.size(); ++i) {
    auto record = records[i];
    if (auto size = record.key.size() + record.headers.size() + record.value.size(); size > max_record_bytes)
      return fail(errc::invalid, "record {} for {} has {} bytes of key, headers and value; the log takes at most {}", i,
                  to.text(), size, max_record_bytes);
  }
  for (std::size_t first = 0; first < records.size();) {
    blocks_.push_back({found->ref, block_pieces(records, first)});
    first += blocks_.back().pieces.count();
  }
  return {};
}

status staged_commit::place(const topic_table& table, rocksdb::ColumnFamilyHandle* blocks) {
  for (auto& block : blocks_) {
    auto at = tails_.find(block.to);
    if (at == tails_.end()) {
      auto tail = table.tail(block.to);
      if (!tail)
        return fail(errc::not_found, "a topic was deleted while records were on their way to it");
      at = tails_.emplace(block.to, *tail).first;
    }
    auto& tail = at->second;
    auto& pieces = block.pieces;
    auto key = keys::block({block.to.topic, block.to.partition, tail.end});
    auto put = batch.Put(blocks, key, slice(pieces.placed_at({tail.end, tail.bytes, tail.newest})));
    if (!put.ok())
      return fail(errc::invalid, "the commit is too large: {}", put.ToString());
    tail.end += static_cast<std::int64_t>(pieces.count());
    tail.bytes += pieces.bytes();
    tail.newest = std::max(tail.newest, pieces.newest());
  }
  return {};
}

} // namespace penstock::storage
