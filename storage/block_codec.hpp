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
///     header   u32 magic "PNBK"  u16 version  u16 codec (0 plain, 1 LZ4)  u32 count  u32 bytes of the body, unpacked
///              i64 base offset  u64 bytes before  i64 newest so far  i64 newest here
///              u32 bytes of the body as stored  u32 CRC-32C of it  u32 CRC-32C of the header up to here
///     body     per record: i64 timestamp  u32 key bytes  u32 header bytes  u32 value bytes (0xffffffff = tombstone);
///              then per record: key, headers, value
///
/// `bytes before` and `newest so far` run over the whole partition, so that retention and the search by time look at
/// headers alone.

/// Where in its partition a block comes to stand.
struct block_place {
  std::int64_t base = 0;          ///< offset of its first record
  std::uint64_t bytes_before = 0; ///< of all earlier blocks
  wall_time newest_before = 0;    ///< newest timestamp of all earlier records
};

/// An encoded block but for its place, which is known only under the log's lock.
class block_pieces {
public:
  static constexpr std::size_t max_records = 1000;
  static constexpr std::size_t max_bytes = std::size_t{1} << 20; ///< unless one record alone is larger

  /// Takes as many records from `first` on as fit into one block, at least one; `first < batch.size()`.
  block_pieces(const record_batch& batch, std::size_t first);

  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] wall_time newest() const { return newest_; }
  /// Of the whole block.
  [[nodiscard]] std::size_t bytes() const { return block_.size(); }
  [[nodiscard]] std::string_view placed_at(const block_place& place);

private:
  std::string block_;
  std::size_t count_ = 0;
  wall_time newest_ = 0;
};

/// The header of a block in untrusted bytes.
struct block_header {
  /// Checks all but the body. `errc::invalid` says what is wrong, `configuration` that a newer version wrote it.
  [[nodiscard]] static result<block_header> open(std::string_view block);
  /// Number of records, unchecked; 0 when there is no whole header.
  [[nodiscard]] static std::size_t peek_count(std::string_view block);

  /// Offset behind its last record.
  [[nodiscard]] std::int64_t end() const { return base + static_cast<std::int64_t>(count); }
  [[nodiscard]] std::uint64_t bytes_through() const { return bytes_before + bytes; }

  std::int64_t base = 0;
  std::size_t count = 0;
  std::uint64_t bytes = 0; ///< of the whole block
  std::uint64_t bytes_before = 0;
  wall_time newest_so_far = 0; ///< newest timestamp in the partition up to and with this block
  wall_time newest = 0;        ///< newest timestamp in this block

  bool packed = false;
  std::size_t body_bytes = 0; ///< unpacked
  std::string_view body;      ///< as stored; its checksum is not looked at
  std::uint32_t body_crc = 0;
};

/// The records of a block.
class block_view {
public:
  /// Checks and unpacks the body. The view lives as long as the header's bytes and `scratch` are left alone.
  /// `errc::invalid` says what is wrong.
  [[nodiscard]] static result<block_view> open(const block_header& header, std::string& scratch);

  [[nodiscard]] wall_time timestamp(std::size_t index) const;

  /// Adds records from index `first` on to a batch, at most `max_records` and, but for the first of an empty batch, not
  /// beyond `max_bytes` of the batch. Returns how many.
  std::size_t copy_to(record_batch& to, std::size_t first, std::size_t max_records, std::size_t max_bytes) const;

private:
  [[nodiscard]] std::size_t length_at(std::size_t index) const;

  std::string_view table_;
  std::string_view data_;
  std::int64_t base_ = 0;
  std::size_t count_ = 0;
};

} // namespace penstock::storage
