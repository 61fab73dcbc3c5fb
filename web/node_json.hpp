// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/node_client.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace penstock::web {

/// JSON with the order of fields kept as it came.
using document = nlohmann::ordered_json;

// What the API calls things: snake_case names with their units, durations in seconds as numbers, wall times in
// milliseconds since 1970. Doubles are written so that they read back as the same bits.

[[nodiscard]] document to_json(const actors::actor_info& of);
[[nodiscard]] document to_json(const actors::shard_info& of);
[[nodiscard]] document to_json(const actors::source_info& of);
[[nodiscard]] document to_json(const actors::training_info& of);
[[nodiscard]] document to_json(const storage::topic_info& of);
[[nodiscard]] document to_json(const runtime::running_metrics& of);
[[nodiscard]] document to_json(const runtime::registry_table::model& of);
[[nodiscard]] document to_json(const runtime::runs_table::run& of);
[[nodiscard]] document to_json(const runtime::event_noted& of);

/// A node without its lists.
[[nodiscard]] document to_json(const actors::node_info& of, const std::string& name);

/// A record: `{topic, partition, offset, timestamp, key, value, headers{}}`. The value is a string with its exact
/// bytes; null for a tombstone. Bytes that are no UTF-8 come as `key_base64`, `value_base64`; in headers as U+FFFD.
[[nodiscard]] document to_json(const storage::partition_id& from, const storage::record_view& record);
/// The same with the stream that it was given up by.
[[nodiscard]] document to_json(const std::string& stream, const actors::dead_letter& of);

/// One line, invalid UTF-8 replaced, without a line feed.
[[nodiscard]] std::string dump_line(const document& content);

} // namespace penstock::web
