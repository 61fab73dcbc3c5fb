// SPDX-License-Identifier: Apache-2.0
#include "storage/topic_table.hpp"

#include "base/bytes.hpp"

#include <mutex>

namespace penstock::storage {

// -- encoding -----------------------------------------------------------------

namespace {

constexpr std::uint32_t magic = 0x50544e50; // "PNTP"
constexpr std::uint16_t version = 1;

} // namespace

std::string encode_topic(const topic_entry& topic) {
  byte_writer out;
  out.number(magic);
  out.number(version);
  out.number(topic.id);
  out.string(topic.spec.name);
  out.number(topic.spec.partitions);
  out.number(topic.spec.retention ? std::int64_t{topic.spec.retention->count()} : std::int64_t{-1});
  out.number(std::uint8_t{topic.spec.retention_bytes.has_value()});
  out.number(topic.spec.retention_bytes.value_or(0));
  out.number(std::uint8_t{topic.spec.compacted});
  out.number(topic.spec.replication);
  return std::move(out).bytes();
}

result<topic_entry> decode_topic(std::string_view bytes) {
  byte_reader in(bytes);
  if (in.number<std::uint32_t>() != magic)
    return fail(errc::invalid, "topic record does not start with its magic number");
  if (auto found = in.number<std::uint16_t>(); found > version)
    return fail(errc::configuration, "topic record has version {}; this build reads up to {}", found, version);
  topic_entry out;
  out.id = in.number<std::uint32_t>();
  out.spec.name = in.string();
  out.spec.partitions = in.number<std::int32_t>();
  if (auto retention = in.number<std::int64_t>(); retention >= 0)
    out.spec.retention = duration(retention);
  bool limited = in.number<std::uint8_t>() != 0;
  auto limit = in.number<std::uint64_t>();
  if (limited)
    out.spec.retention_bytes = limit;
  out.spec.compacted = in.number<std::uint8_t>() != 0;
  out.spec.replication = in.number<std::int16_t>();
  if (!in.ok() || !in.at_end() || out.spec.partitions < 1)
    return fail(errc::invalid, "topic record of {} bytes is damaged", bytes.size());
  return out;
}

// -- table --------------------------------------------------------------------

result<topic_table::located> topic_table::find(const partition_id& of) const {
  std::shared_lock lock(mutex_);
  auto found = topics_.find(of.topic);
  if (found == topics_.end())
    return fail(errc::not_found, "topic {} does not exist", of.topic);
  const auto& partitions = found->second.partitions;
  if (of.partition < 0 || static_cast<std::size_t>(of.partition) >= partitions.size())
    return fail(errc::not_found, "topic {} has no partition {}, only 0 to {}", of.topic, of.partition,
                partitions.size() - 1);
  return located{{found->second.id, of.partition}, partitions[static_cast<std::size_t>(of.partition)]};
}

result<topic_entry> topic_table::topic(const std::string& name) const {
  std::shared_lock lock(mutex_);
  auto found = topics_.find(name);
  if (found == topics_.end())
    return fail(errc::not_found, "topic {} does not exist", name);
  return found->second;
}

std::vector<topic_entry> topic_table::all() const {
  std::shared_lock lock(mutex_);
  std::vector<topic_entry> out;
  out.reserve(topics_.size());
  for (const auto& [name, topic] : topics_)
    out.push_back(topic);
  return out;
}

std::optional<partition_tail> topic_table::tail(partition_ref ref) const {
  std::shared_lock lock(mutex_);
  auto name = names_.find(ref.topic);
  if (name == names_.end())
    return std::nullopt;
  return topics_.at(name->second).partitions[static_cast<std::size_t>(ref.partition)];
}

void topic_table::add(topic_entry topic) {
  std::unique_lock lock(mutex_);
  names_[topic.id] = topic.spec.name;
  auto name = topic.spec.name;
  topics_[name] = std::move(topic);
}

void topic_table::remove(const std::string& name) {
  std::unique_lock lock(mutex_);
  auto found = topics_.find(name);
  if (found == topics_.end())
    return;
  names_.erase(found->second.id);
  topics_.erase(found);
}

void topic_table::set(partition_ref ref, const partition_tail& tail) {
  std::unique_lock lock(mutex_);
  auto name = names_.find(ref.topic);
  if (name != names_.end())
    topics_.at(name->second).partitions[static_cast<std::size_t>(ref.partition)] = tail;
}

void topic_table::set_loaded() {
  std::unique_lock lock(mutex_);
  loaded_ = true;
}

std::shared_ptr<const std::map<partition_ref, std::int64_t>> topic_table::starts() const {
  std::shared_lock lock(mutex_);
  if (!loaded_)
    return nullptr;
  auto out = std::make_shared<std::map<partition_ref, std::int64_t>>();
  for (const auto& [name, topic] : topics_)
    for (std::size_t i = 0; i < topic.partitions.size(); ++i)
      (*out)[{topic.id, static_cast<std::int32_t>(i)}] = topic.partitions[i].start;
  return out;
}

} // namespace penstock::storage
