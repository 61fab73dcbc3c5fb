// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "storage/record_batch.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::storage {

/// A block is up to 1,000 consecutive records of one partition as one value of the store. Little-endian:
///
///     header  u32 magic "PNBK"  u16 version  u16 zero  u32 count  u32 data bytes  i64 base offset
///             u64 bytes before  i64 newest so far  i64 newest here
///             u32 CRC-32C of table  u32 of data  u32 of the header up to here
///     table   per record: i64 timestamp  u32 key bytes  u32 header bytes  u32 value bytes (0xffffffff = tombstone)
///     data    per record: key, headers, value
///
/// `bytes before` and `newest so far` run over the whole partition, so that retention and the search by time look at
/// single headers instead of scanning. Compression is the store's.

/// Where in its partition a block comes to stand.
struct block_place {
  std::int64_t base = 0;          ///< offset of its first record
  std::uint64_t bytes_before = 0; ///< of all earlier blocks
  wall_time newest_before = 0;    ///< newest timestamp of all earlier records
};

/// An encoded block but for its place, which is known only under the log's lock. Refers to the batch it was made of.
class block_pieces {
public:
  static constexpr std::size_t max_records = 1000;
  static constexpr std::size_t max_bytes = std::size_t{1} << 20; ///< unless one record alone is larger

  /// Takes as many records from `first` on as fit into one block, at least one; `first < batch.size()`.
  block_pieces(const record_batch& batch, std::size_t first);

  [[nodiscard]] std::size_t count() const { return count_; }
  /// Of the whole block.
  [[nodiscard]] std::size_t bytes() const { return head_.size() + data_.size(); }
  [[nodiscard]] wall_time newest() const { return newest_; }

  /// Header and table, and behind them `data()`, are the block.
  [[nodiscard]] std::string_view head(const block_place& place);
  [[nodiscard]] std::string_view data() const { return data_; }

private:
  std::string head_;
  std::string_view data_;
  std::size_t count_ = 0;
  wall_time newest_ = 0;
};

/// A checked block in untrusted bytes, which it does not copy.
class block_view {
public:
  /// Checks everything: magic, version, lengths, checksums. `errc::invalid` says what is wrong with it,
  /// `errc::configuration` that a newer version wrote it.
  [[nodiscard]] static result<block_view> open(std::string_view bytes);

  /// Number of records by the header alone, unchecked; 0 when there is no whole header.
  [[nodiscard]] static std::size_t peek_count(std::string_view bytes);

  [[nodiscard]] std::int64_t base() const { return base_; }
  [[nodiscard]] std::size_t count() const { return count_; }
  /// Offset behind its last record.
  [[nodiscard]] std::int64_t end() const { return base_ + static_cast<std::int64_t>(count_); }
  [[nodiscard]] std::uint64_t bytes_before() const { return bytes_before_; }
  [[nodiscard]] std::uint64_t bytes_through() const { return bytes_before_ + bytes_; }
  /// Newest timestamp in the partition up to and with this block.
  [[nodiscard]] wall_time newest_so_far() const { return newest_so_far_; }
  /// Newest timestamp in this block.
  [[nodiscard]] wall_time newest() const { return newest_; }
  [[nodiscard]] wall_time timestamp(std::size_t index) const;

  /// Adds records from index `first` on to a batch, at most `max_records` and, but for the first of an empty batch, not
  /// beyond `max_bytes` of the batch. Returns how many.
  std::size_t copy_to(record_batch& to, std::size_t first, std::size_t max_records, std::size_t max_bytes) const;

private:
  std::string_view table_;
  std::string_view data_;
  std::int64_t base_ = 0;
  std::size_t count_ = 0;
  std::uint64_t bytes_before_ = 0;
  std::uint64_t bytes_ = 0;
  wall_time newest_so_far_ = 0;
  wall_time newest_ = 0;
};

} // namespace penstock::storage
