// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penstock::storage {

/// Headers of a record in their encoded form: for each header name and value as 32-bit length and bytes.
using header_bytes = std::string;
using header_list = std::vector<std::pair<std::string, std::string>>;

[[nodiscard]] header_bytes encode_headers(const header_list& headers);
/// Adds one header to encoded ones.
void add_header(header_bytes& to, std::string_view name, std::string_view value);
/// Decodes; stops at the first malformed byte.
[[nodiscard]] header_list decode_headers(std::string_view encoded);
/// The value of the last header of that name.
[[nodiscard]] std::optional<std::string_view> find_header(std::string_view encoded, std::string_view name);

/// One record, seen inside its batch. Valid as long as the batch is neither changed nor destroyed.
struct record_view {
  std::int64_t offset = 0; ///< position in its partition; meaningless before the append
  wall_time timestamp = 0; ///< milliseconds since 1970
  std::string_view key;
  std::string_view value;
  std::string_view headers; ///< encoded, see `encode_headers`
  bool tombstone = false;   ///< no value: the key is deleted
};

/// Records of one partition in one piece of memory: the unit in which records are read, sent between actors and
/// written. Offsets ascend but need not be dense (on Kafka transaction markers and compaction leave holes).
///
/// Every value is followed by at least `padding` readable bytes (a JSON parser may look past the end of its input).
/// Holds less than 4 GiB; `std::length_error` beyond, as a string does at its own limit. Movable, copyable, not
/// thread-safe while it is being filled; afterwards it may be read from any thread.
class record_batch {
public:
  static constexpr std::size_t padding = 64;

  record_batch() = default;
  record_batch(const record_batch& other);
  record_batch& operator=(const record_batch& other);
  record_batch(record_batch&&) noexcept = default;
  record_batch& operator=(record_batch&&) noexcept = default;
  ~record_batch() = default;

  // -- filling --------------------------------------------------------------

  void add(std::string_view key, std::string_view value, std::string_view headers, wall_time timestamp,
           std::int64_t offset = 0);
  void add_tombstone(std::string_view key, std::string_view headers, wall_time timestamp, std::int64_t offset = 0);

  /// Writes a value in place, without a copy: `begin`, append to `value()`, then `end`, or `cancel` to drop the record.
  void begin(std::string_view key, std::string_view headers, wall_time timestamp, std::int64_t offset = 0);
  [[nodiscard]] std::string& value() { return arena_; }
  void end();
  void cancel();

  /// Appends all records of another batch.
  void append(const record_batch& other);
  void reserve(std::size_t records, std::size_t bytes);
  void clear();
  /// Gives the records the offsets base, base + 1, …
  void number_from(std::int64_t base);

  // -- reading --------------------------------------------------------------

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] record_view operator[](std::size_t index) const;
  /// Bytes of keys, headers and values.
  [[nodiscard]] std::size_t bytes() const { return arena_.size(); }

private:
  friend class block_pieces; // copies the arena as one piece into a block
  friend class block_view;   // and back

  struct entry {
    std::int64_t offset;
    wall_time timestamp;
    std::uint32_t begin; ///< of key, headers, value, one after the other in the arena
    std::uint32_t key;
    std::uint32_t headers;
    std::uint32_t value; ///< `no_value` for a tombstone
  };
  static constexpr std::uint32_t no_value = 0xffffffff;

  void push(std::string_view key, std::string_view headers, wall_time timestamp, std::int64_t offset);
  void make_room(std::size_t bytes);

  std::string arena_;
  std::vector<entry> entries_;
};

/// The partition that Kafka's default partitioner gives a key: murmur2(key) modulo `partitions`.
[[nodiscard]] std::int32_t partition_of(std::string_view key, std::int32_t partitions);

} // namespace penstock::storage
