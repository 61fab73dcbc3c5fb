// SPDX-License-Identifier: Apache-2.0
#include "storage/key_codec.hpp"

namespace penstock::storage::keys {

namespace {

void put_big(std::string& to, std::uint64_t value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8)
    to += static_cast<char>(value >> shift);
}

std::uint64_t take_big(std::string_view from) {
  std::uint64_t value = 0;
  for (char byte : from)
    value = value << 8 | static_cast<std::uint8_t>(byte);
  return value;
}

void put_name(std::string& to, std::string_view name) {
  put_big(to, name.size(), 4);
  to += name;
}

std::string of_partition(char kind, std::uint32_t topic, std::int32_t partition) {
  std::string out(1, kind);
  put_big(out, topic, 4);
  put_big(out, static_cast<std::uint32_t>(partition), 4);
  return out;
}

} // namespace

std::string block(const block_key& key) {
  std::string out;
  out.reserve(16);
  put_big(out, key.topic, 4);
  put_big(out, static_cast<std::uint32_t>(key.partition), 4);
  put_big(out, static_cast<std::uint64_t>(key.base), 8);
  return out;
}

std::optional<block_key> parse_block(std::string_view bytes) {
  if (bytes.size() != 16)
    return std::nullopt;
  block_key out;
  out.topic = static_cast<std::uint32_t>(take_big(bytes.substr(0, 4)));
  out.partition = static_cast<std::int32_t>(take_big(bytes.substr(4, 4)));
  out.base = static_cast<std::int64_t>(take_big(bytes.substr(8)));
  return out;
}

std::string topic_blocks(std::uint32_t topic) {
  std::string out;
  put_big(out, topic, 4);
  return out;
}

std::string state_of_topic(std::string_view topic) {
  std::string out;
  put_name(out, topic);
  return out;
}

std::string state(const partition_id& of, std::string_view group, std::string_view key) {
  auto out = state_of_topic(of.topic);
  put_big(out, static_cast<std::uint32_t>(of.partition), 4);
  put_name(out, group);
  out += key;
  return out;
}

std::string all_topics() {
  return "t";
}

std::string topic(std::string_view name) {
  return all_topics().append(name);
}

std::string_view topic_name(std::string_view key) {
  return key.substr(1);
}

std::string next_topic() {
  return "n";
}

std::string log_start(std::uint32_t topic, std::int32_t partition) {
  return of_partition('s', topic, partition);
}

std::string epoch(std::string_view session) {
  return std::string("e").append(session);
}

std::string offset(std::uint32_t topic, std::int32_t partition, std::string_view group) {
  return of_partition('o', topic, partition).append(group);
}

std::string offsets_of_topic(std::uint32_t topic) {
  return of_partition('o', topic, 0).substr(0, 5);
}

std::string behind(std::string prefix) {
  while (!prefix.empty() && static_cast<std::uint8_t>(prefix.back()) == 0xff)
    prefix.pop_back();
  if (!prefix.empty())
    prefix.back() = static_cast<char>(static_cast<std::uint8_t>(prefix.back()) + 1);
  return prefix;
}

} // namespace penstock::storage::keys
