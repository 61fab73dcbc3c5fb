// SPDX-License-Identifier: Apache-2.0
#include "storage/block_codec.hpp"

#include "base/bytes.hpp"

#include <algorithm>
#include <limits>

namespace penstock::storage {

namespace {

constexpr std::uint32_t magic = 0x4b424e50; // "PNBK"
constexpr std::uint16_t version = 1;
constexpr std::size_t header_size = 60;
constexpr std::size_t entry_size = 20;

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

} // namespace

// -- writing ------------------------------------------------------------------

block_pieces::block_pieces(const record_batch& batch, std::size_t first) {
  const auto& entries = batch.entries_;
  const auto begin = entries[first].begin;
  std::size_t size = 0;
  newest_ = std::numeric_limits<wall_time>::min();
  while (count_ < max_records && first + count_ < entries.size()) {
    const auto& entry = entries[first + count_];
    auto value = entry.value == record_batch::no_value ? 0 : std::size_t{entry.value};
    auto grown = size + entry.key + entry.headers + value;
    if (count_ > 0 && grown > max_bytes)
      break;
    size = grown;
    newest_ = std::max(newest_, entry.timestamp);
    ++count_;
  }
  data_ = std::string_view(batch.arena_).substr(begin, size);
  head_.resize(header_size + count_ * entry_size);
  for (std::size_t i = 0; i < count_; ++i) {
    const auto& entry = entries[first + i];
    auto at = header_size + i * entry_size;
    put(head_, at, entry.timestamp);
    put(head_, at + 8, entry.key);
    put(head_, at + 12, entry.headers);
    put(head_, at + 16, entry.value);
  }
  put(head_, 0, magic);
  put(head_, 4, version);
  put(head_, 8, static_cast<std::uint32_t>(count_));
  put(head_, 12, static_cast<std::uint32_t>(size));
  put(head_, 40, newest_);
  put(head_, 48, crc32c(std::string_view(head_).substr(header_size)));
  put(head_, 52, crc32c(data_));
}

std::string_view block_pieces::head(const block_place& place) {
  put(head_, 16, place.base);
  put(head_, 24, place.bytes_before);
  put(head_, 32, std::max(place.newest_before, newest_));
  put(head_, 56, crc32c(std::string_view(head_).substr(0, 56)));
  return head_;
}

// -- reading ------------------------------------------------------------------

result<block_view> block_view::open(std::string_view bytes) {
  if (bytes.size() < header_size)
    return fail(errc::invalid, "block of {} bytes is shorter than its header", bytes.size());
  if (take<std::uint32_t>(bytes, 0) != magic)
    return fail(errc::invalid, "block does not start with its magic number");
  if (take<std::uint32_t>(bytes, 56) != crc32c(bytes.substr(0, 56)))
    return fail(errc::invalid, "block header does not match its checksum");
  if (auto found = take<std::uint16_t>(bytes, 4); found != version)
    return fail(errc::configuration, "block has version {}; this build reads version {}", found, version);
  block_view out;
  out.count_ = take<std::uint32_t>(bytes, 8);
  const std::size_t size = take<std::uint32_t>(bytes, 12);
  out.base_ = take<std::int64_t>(bytes, 16);
  out.bytes_before_ = take<std::uint64_t>(bytes, 24);
  out.newest_so_far_ = take<wall_time>(bytes, 32);
  out.newest_ = take<wall_time>(bytes, 40);
  out.bytes_ = bytes.size();
  if (out.count_ == 0 || out.count_ > block_pieces::max_records ||
      bytes.size() != header_size + out.count_ * entry_size + size)
    return fail(errc::invalid, "block of {} bytes does not fit its {} records and {} data bytes", bytes.size(),
                out.count_, size);
  if (out.base_ < 0 || out.base_ > std::numeric_limits<std::int64_t>::max() - std::int64_t{1'000'000})
    return fail(errc::invalid, "block has the impossible offset {}", out.base_);
  out.table_ = bytes.substr(header_size, out.count_ * entry_size);
  out.data_ = bytes.substr(header_size + out.table_.size());
  if (take<std::uint32_t>(bytes, 48) != crc32c(out.table_) || take<std::uint32_t>(bytes, 52) != crc32c(out.data_))
    return fail(errc::invalid, "block at offset {} does not match its checksums", out.base_);
  std::uint64_t sum = 0;
  for (std::size_t at = 0; at < out.table_.size(); at += entry_size) {
    auto value = take<std::uint32_t>(out.table_, at + 16);
    sum += std::uint64_t{take<std::uint32_t>(out.table_, at + 8)} + take<std::uint32_t>(out.table_, at + 12) +
           (value == record_batch::no_value ? 0 : value);
  }
  if (sum != size)
    return fail(errc::invalid, "block at offset {} has records of {} bytes in {} bytes", out.base_, sum, size);
  return out;
}

std::size_t block_view::peek_count(std::string_view bytes) {
  return bytes.size() < header_size ? 0 : take<std::uint32_t>(bytes, 8);
}

wall_time block_view::timestamp(std::size_t index) const {
  return take<wall_time>(table_, index * entry_size);
}

std::size_t block_view::copy_to(record_batch& to, std::size_t first, std::size_t max_records,
                                std::size_t max_bytes) const {
  auto length_at = [this](std::size_t index) {
    auto value = take<std::uint32_t>(table_, index * entry_size + 16);
    return std::size_t{take<std::uint32_t>(table_, index * entry_size + 8)} +
           take<std::uint32_t>(table_, index * entry_size + 12) + (value == record_batch::no_value ? 0 : value);
  };
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
