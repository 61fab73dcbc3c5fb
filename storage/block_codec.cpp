// SPDX-License-Identifier: Apache-2.0
#include "storage/block_codec.hpp"

#include "base/bytes.hpp"

#include <algorithm>
#include <limits>

#include <lz4.h>

namespace penstock::storage {

namespace {

constexpr std::uint32_t magic = 0x4b424e50; // "PNBK"
constexpr std::uint16_t version = 1;
constexpr std::uint16_t plain = 0;
constexpr std::uint16_t lz4 = 1;
constexpr std::size_t header_size = 60;
constexpr std::size_t entry_size = 20;
/// Smaller bodies are not worth packing.
constexpr std::size_t least_packed = 256;

template <class T>
void put(std::string& to, std::size_t at, T value) {
  std::memcpy(to.data() + at, &value, sizeof(T));
}

template <class T>
T take(std::string_view from, std::size_t at) {
  T value;
  std::memcpy(&value, from.data() + at, sizeof(T));
  return value;
}

/// Header's room and the packed body; empty when packing does not save an eighth.
std::string pack(std::string_view body) {
  std::string out;
  if (body.size() < least_packed || body.size() > LZ4_MAX_INPUT_SIZE)
    return out;
  const auto room = body.size() - body.size() / 8;
  out.resize(header_size + room);
  auto size = LZ4_compress_default(body.data(), out.data() + header_size, static_cast<int>(body.size()),
                                   static_cast<int>(room));
  out.resize(size > 0 ? header_size + static_cast<std::size_t>(size) : 0);
  return out;
}

} // namespace

// -- writing ------------------------------------------------------------------

block_pieces::block_pieces(const record_batch& batch, std::size_t first) {
  const auto& entries = batch.entries_;
  std::size_t data = 0;
  newest_ = std::numeric_limits<wall_time>::min();
  while (count_ < max_records && first + count_ < entries.size()) {
    const auto& entry = entries[first + count_];
    auto value = entry.value == record_batch::no_value ? 0 : std::size_t{entry.value};
    auto grown = data + entry.key + entry.headers + value;
    if (count_ > 0 && grown > max_bytes)
      break;
    data = grown;
    newest_ = std::max(newest_, entry.timestamp);
    ++count_;
  }
  const auto table = count_ * entry_size;
  std::string raw;
  raw.reserve(header_size + table + data);
  raw.resize(header_size + table);
  for (std::size_t i = 0; i < count_; ++i) {
    const auto& entry = entries[first + i];
    auto at = header_size + i * entry_size;
    put(raw, at, entry.timestamp);
    put(raw, at + 8, entry.key);
    put(raw, at + 12, entry.headers);
    put(raw, at + 16, entry.value);
  }
  raw.append(batch.arena_, entries[first].begin, data);
  block_ = pack(std::string_view(raw).substr(header_size));
  const bool packed = !block_.empty();
  if (!packed)
    block_ = std::move(raw);
  auto body = std::string_view(block_).substr(header_size);
  put(block_, 0, magic);
  put(block_, 4, version);
  put(block_, 6, packed ? lz4 : plain);
  put(block_, 8, static_cast<std::uint32_t>(count_));
  put(block_, 12, static_cast<std::uint32_t>(table + data));
  put(block_, 40, newest_);
  put(block_, 48, static_cast<std::uint32_t>(body.size()));
  put(block_, 52, crc32c(body));
}

std::string_view block_pieces::placed_at(const block_place& place) {
  put(block_, 16, place.base);
  put(block_, 24, place.bytes_before);
  put(block_, 32, std::max(place.newest_before, newest_));
  put(block_, 56, crc32c(std::string_view(block_).substr(0, 56)));
  return block_;
}

// -- header -------------------------------------------------------------------

std::size_t block_header::peek_count(std::string_view block) {
  return block.size() < header_size ? 0 : take<std::uint32_t>(block, 8);
}

result<block_header> block_header::open(std::string_view block) {
  if (block.size() < header_size)
    return fail(errc::invalid, "block of {} bytes is shorter than its header", block.size());
  if (take<std::uint32_t>(block, 0) != magic)
    return fail(errc::invalid, "block does not start with its magic number");
  if (take<std::uint32_t>(block, 56) != crc32c(block.substr(0, 56)))
    return fail(errc::invalid, "block header does not match its checksum");
  const auto codec = take<std::uint16_t>(block, 6);
  if (auto found = take<std::uint16_t>(block, 4); found != version || codec > lz4)
    return fail(errc::configuration, "block has version {}, codec {}; this build reads version {}, codecs 0 and 1",
                found, codec, version);
  block_header out;
  out.packed = codec == lz4;
  out.count = take<std::uint32_t>(block, 8);
  out.body_bytes = take<std::uint32_t>(block, 12);
  out.base = take<std::int64_t>(block, 16);
  out.bytes_before = take<std::uint64_t>(block, 24);
  out.newest_so_far = take<wall_time>(block, 32);
  out.newest = take<wall_time>(block, 40);
  out.bytes = block.size();
  out.body = block.substr(header_size);
  out.body_crc = take<std::uint32_t>(block, 52);
  // LZ4 never unpacks a byte into more than 255: what claims more would only make us allocate.
  const bool possible = out.packed ? out.body_bytes / 255 <= out.body.size() : out.body_bytes == out.body.size();
  if (out.count == 0 || out.count > block_pieces::max_records || take<std::uint32_t>(block, 48) != out.body.size() ||
      !possible || out.body_bytes < out.count * entry_size)
    return fail(errc::invalid, "block of {} bytes does not fit its {} records in {} bytes", block.size(), out.count,
                out.body_bytes);
  if (out.base < 0 || out.base > std::numeric_limits<std::int64_t>::max() - std::int64_t{1'000'000})
    return fail(errc::invalid, "block has the impossible offset {}", out.base);
  return out;
}

// -- records ------------------------------------------------------------------

result<block_view> block_view::open(const block_header& header, std::string& scratch) {
  if (crc32c(header.body) != header.body_crc)
    return fail(errc::invalid, "block at offset {} does not match its checksum", header.base);
  auto body = header.body;
  if (header.packed) {
    if (scratch.size() < header.body_bytes)
      scratch.resize(header.body_bytes);
    auto size = LZ4_decompress_safe(body.data(), scratch.data(), static_cast<int>(body.size()),
                                    static_cast<int>(header.body_bytes));
    if (size < 0 || static_cast<std::size_t>(size) != header.body_bytes)
      return fail(errc::invalid, "block at offset {} does not unpack to {} bytes", header.base, header.body_bytes);
    body = std::string_view(scratch).substr(0, header.body_bytes);
  }
  block_view out;
  out.base_ = header.base;
  out.count_ = header.count;
  out.table_ = body.substr(0, header.count * entry_size);
  out.data_ = body.substr(out.table_.size());
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < out.count_; ++i)
    sum += out.length_at(i);
  if (sum != out.data_.size())
    return fail(errc::invalid, "block at offset {} has records of {} bytes in {} bytes", out.base_, sum,
                out.data_.size());
  return out;
}

wall_time block_view::timestamp(std::size_t index) const {
  return take<wall_time>(table_, index * entry_size);
}

std::size_t block_view::length_at(std::size_t index) const {
  const auto at = index * entry_size;
  const auto value = take<std::uint32_t>(table_, at + 16);
  return std::size_t{take<std::uint32_t>(table_, at + 8)} + take<std::uint32_t>(table_, at + 12) +
         (value == record_batch::no_value ? 0 : value);
}

std::size_t block_view::copy_to(record_batch& to, std::size_t first, std::size_t max_records,
                                std::size_t max_bytes) const {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < first; ++i)
    begin += length_at(i);
  const auto before = to.arena_.size();
  std::size_t taken = 0;
  std::size_t size = 0;
  while (first + taken < count_ && taken < max_records) {
    auto length = length_at(first + taken);
    if (!(to.empty() && taken == 0) && before + size + length > max_bytes)
      break;
    size += length;
    ++taken;
  }
  to.make_room(size);
  if (to.entries_.capacity() < to.entries_.size() + taken)
    to.entries_.reserve(std::max(to.entries_.size() + taken, to.entries_.capacity() * 2));
  auto at = static_cast<std::uint32_t>(before);
  for (std::size_t i = first; i < first + taken; ++i) {
    record_batch::entry entry{};
    entry.offset = base_ + static_cast<std::int64_t>(i);
    entry.timestamp = timestamp(i);
    entry.begin = at;
    entry.key = take<std::uint32_t>(table_, i * entry_size + 8);
    entry.headers = take<std::uint32_t>(table_, i * entry_size + 12);
    entry.value = take<std::uint32_t>(table_, i * entry_size + 16);
    to.entries_.push_back(entry);
    at += static_cast<std::uint32_t>(length_at(i));
  }
  to.arena_ += data_.substr(begin, size);
  return taken;
}

} // namespace penstock::storage
