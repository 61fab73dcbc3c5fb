// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/log.hpp"

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <vector>

namespace penstock::storage {

/// A partition by its topic's number, which outlives no topic and is never used again.
struct partition_ref {
  std::uint32_t topic = 0;
  std::int32_t partition = 0;
  auto operator<=>(const partition_ref&) const = default;
};

/// What the next append to a partition and every reader of it must know.
struct partition_tail {
  std::int64_t start = 0;  ///< no reader sees anything below
  std::int64_t end = 0;    ///< one past the last visible record
  std::uint64_t bytes = 0; ///< of all blocks up to `end`, those before `start` included
  wall_time newest = std::numeric_limits<wall_time>::min(); ///< timestamp over all records
};

struct topic_entry {
  std::uint32_t id = 0;
  topic_spec spec;
  std::vector<partition_tail> partitions;
};

/// What the store keeps of a topic: number and declaration.
[[nodiscard]] std::string encode_topic(const topic_entry& topic);
/// `errc::invalid` when damaged, `configuration` when written by a newer version. The partitions' tails are empty.
[[nodiscard]] result<topic_entry> decode_topic(std::string_view bytes);

/// Topics and the visible ends of their partitions, in memory. Thread-safe. Rebuilt from the store at each opening.
class topic_table {
public:
  struct located {
    partition_ref ref;
    partition_tail tail;
  };

  /// `errc::not_found` names the topic or partition.
  [[nodiscard]] result<located> find(const partition_id& of) const;
  [[nodiscard]] result<topic_entry> topic(const std::string& name) const;
  [[nodiscard]] std::vector<topic_entry> all() const;
  /// None when the topic is gone.
  [[nodiscard]] std::optional<partition_tail> tail(partition_ref ref) const;

  void add(topic_entry topic);
  void remove(const std::string& name);
  /// Does nothing when the topic is gone.
  void set(partition_ref ref, const partition_tail& tail);

  /// From now on the table is complete, and what it does not know may be dropped from the store.
  void set_loaded();
  /// First visible offset of each partition; none as long as the table is being loaded.
  [[nodiscard]] std::shared_ptr<const std::map<partition_ref, std::int64_t>> starts() const;

private:
  mutable std::shared_mutex mutex_;
  std::map<std::string, topic_entry> topics_;
  std::map<std::uint32_t, std::string> names_;
  bool loaded_ = false;
};

} // namespace penstock::storage
