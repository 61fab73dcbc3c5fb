// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/log.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace penstock::storage::keys {

/// Keys of the embedded store. Numbers are big-endian, so that the store's byte order is the numbers' order; names
/// carry their length in front, so that no name can run into what follows it.

/// A topic has a number of its own that is never used again, also not by a later topic of the same name.
struct block_key {
  std::uint32_t topic = 0;
  std::int32_t partition = 0;
  std::int64_t base = 0;
};

[[nodiscard]] std::string block(const block_key& key);
/// None when the bytes are no block key.
[[nodiscard]] std::optional<block_key> parse_block(std::string_view bytes);
/// Sorts before every block of the topic; that of the next number sorts behind them.
[[nodiscard]] std::string topic_blocks(std::uint32_t topic);

/// All state of a topic's partitions starts with `state_of_topic`.
[[nodiscard]] std::string state(const partition_id& of, std::string_view group, std::string_view key);
[[nodiscard]] std::string state_of_topic(std::string_view topic);

// -- in the column family of metadata -------------------------------------------

[[nodiscard]] std::string topic(std::string_view name);
[[nodiscard]] std::string all_topics();
/// Name in a key of `topic`.
[[nodiscard]] std::string_view topic_name(std::string_view key);
[[nodiscard]] std::string next_topic();
[[nodiscard]] std::string log_start(std::uint32_t topic, std::int32_t partition);
[[nodiscard]] std::string epoch(std::string_view session);
[[nodiscard]] std::string offset(std::uint32_t topic, std::int32_t partition, std::string_view group);
[[nodiscard]] std::string offsets_of_topic(std::uint32_t topic);

/// The smallest key that sorts behind all keys with this prefix.
[[nodiscard]] std::string behind(std::string prefix);

} // namespace penstock::storage::keys
