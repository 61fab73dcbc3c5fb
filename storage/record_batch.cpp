// SPDX-License-Identifier: Apache-2.0
#include "storage/record_batch.hpp"

#include "base/bytes.hpp"

#include <algorithm>
#include <stdexcept>

namespace penstock::storage {

// -- headers ------------------------------------------------------------------

header_bytes encode_headers(const header_list& headers) {
  header_bytes out;
  for (const auto& [name, value] : headers)
    add_header(out, name, value);
  return out;
}

void add_header(header_bytes& to, std::string_view name, std::string_view value) {
  byte_writer out;
  out.string(name);
  out.string(value);
  to += out.bytes();
}

header_list decode_headers(std::string_view encoded) {
  header_list out;
  byte_reader in(encoded);
  while (!in.at_end()) {
    auto name = in.string();
    auto value = in.string();
    if (!in.ok())
      break;
    out.emplace_back(name, value);
  }
  return out;
}

std::optional<std::string_view> find_header(std::string_view encoded, std::string_view name) {
  std::optional<std::string_view> found;
  byte_reader in(encoded);
  while (!in.at_end()) {
    auto key = in.string();
    auto value = in.string();
    if (!in.ok())
      break;
    if (key == name)
      found = value;
  }
  return found;
}

// -- batch --------------------------------------------------------------------

// The padding lies in the capacity behind the arena's end, which copying a string would not keep.
record_batch::record_batch(const record_batch& other) : entries_(other.entries_) {
  make_room(other.arena_.size());
  arena_ += other.arena_;
}

record_batch& record_batch::operator=(const record_batch& other) {
  if (this != &other)
    *this = record_batch(other);
  return *this;
}

void record_batch::make_room(std::size_t bytes) {
  auto wanted = arena_.size() + bytes;
  if (wanted >= no_value)
    throw std::length_error("a record batch holds less than 4 GiB");
  wanted += padding;
  if (arena_.capacity() < wanted)
    arena_.reserve(std::max(wanted, arena_.capacity() * 2));
}

void record_batch::push(std::string_view key, std::string_view headers, wall_time timestamp, std::int64_t offset) {
  entries_.push_back({offset, timestamp, static_cast<std::uint32_t>(arena_.size()),
                      static_cast<std::uint32_t>(key.size()), static_cast<std::uint32_t>(headers.size()), no_value});
  arena_ += key;
  arena_ += headers;
}

void record_batch::add(std::string_view key, std::string_view value, std::string_view headers, wall_time timestamp,
                       std::int64_t offset) {
  make_room(key.size() + headers.size() + value.size());
  push(key, headers, timestamp, offset);
  arena_ += value;
  entries_.back().value = static_cast<std::uint32_t>(value.size());
}

void record_batch::add_tombstone(std::string_view key, std::string_view headers, wall_time timestamp,
                                 std::int64_t offset) {
  make_room(key.size() + headers.size());
  push(key, headers, timestamp, offset);
}

void record_batch::begin(std::string_view key, std::string_view headers, wall_time timestamp, std::int64_t offset) {
  make_room(key.size() + headers.size());
  push(key, headers, timestamp, offset);
}

void record_batch::end() {
  make_room(0);
  auto& last = entries_.back();
  last.value = static_cast<std::uint32_t>(arena_.size() - last.begin - last.key - last.headers);
}

void record_batch::cancel() {
  arena_.resize(entries_.back().begin);
  entries_.pop_back();
}

void record_batch::append(const record_batch& other) {
  make_room(other.arena_.size());
  auto shift = static_cast<std::uint32_t>(arena_.size());
  auto count = other.entries_.size();
  entries_.reserve(std::max(entries_.size() + count, entries_.capacity()));
  for (std::size_t i = 0; i < count; ++i) {
    entries_.push_back(other.entries_[i]);
    entries_.back().begin += shift;
  }
  arena_.append(other.arena_, 0, other.arena_.size());
}

void record_batch::reserve(std::size_t records, std::size_t bytes) {
  entries_.reserve(records);
  arena_.reserve(bytes + padding);
}

void record_batch::clear() {
  entries_.clear();
  arena_.clear();
}

void record_batch::number_from(std::int64_t base) {
  for (auto& each : entries_)
    each.offset = base++;
}

record_view record_batch::operator[](std::size_t index) const {
  const auto& found = entries_[index];
  const char* at = arena_.data() + found.begin;
  record_view out;
  out.offset = found.offset;
  out.timestamp = found.timestamp;
  out.key = {at, found.key};
  out.headers = {at + found.key, found.headers};
  out.tombstone = found.value == no_value;
  out.value = {at + found.key + found.headers, out.tombstone ? 0 : found.value};
  return out;
}

// -- partitioning -------------------------------------------------------------

namespace {

/// MurmurHash2, 32 bits, with the seed of Kafka's Java client (org.apache.kafka.common.utils.Utils.murmur2).
std::uint32_t murmur2(std::string_view data) {
  constexpr std::uint32_t seed = 0x9747b28c;
  constexpr std::uint32_t mix = 0x5bd1e995;
  auto hash = seed ^ static_cast<std::uint32_t>(data.size());
  while (data.size() >= 4) {
    std::uint32_t word = 0;
    std::memcpy(&word, data.data(), 4);
    word *= mix;
    word ^= word >> 24;
    word *= mix;
    hash *= mix;
    hash ^= word;
    data.remove_prefix(4);
  }
  if (!data.empty()) {
    for (std::size_t i = data.size(); i-- > 0;)
      hash ^= std::uint32_t{static_cast<std::uint8_t>(data[i])} << (8 * i);
    hash *= mix;
  }
  hash ^= hash >> 13;
  hash *= mix;
  hash ^= hash >> 15;
  return hash;
}

} // namespace

std::int32_t partition_of(std::string_view key, std::int32_t partitions) {
  return static_cast<std::int32_t>(murmur2(key) & 0x7fffffff) % partitions;
}

} // namespace penstock::storage
