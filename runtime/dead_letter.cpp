// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"
#include "runtime/scorer.hpp"

namespace penstock::runtime {

namespace {

constexpr std::size_t longest_cause = 1024;

/// At most `most` bytes, not in the middle of a UTF-8 character.
std::string_view cut(std::string_view text, std::size_t most) {
  if (text.size() <= most)
    return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80)
    --most;
  return text.substr(0, most);
}

} // namespace

void add_dead_letter(storage::record_batch& to, const storage::record_view& original, const storage::partition_id& from,
                     const dead_letter_cause& cause, wall_time now, std::size_t max_value_bytes) {
  storage::header_bytes headers(original.headers);
  storage::add_header(headers, "cause", cut(cause.cause, longest_cause));
  storage::add_header(headers, "attempts", std::to_string(cause.attempts));
  storage::add_header(headers, "model", cause.model);
  storage::add_header(headers, "version", std::to_string(cause.version));
  storage::add_header(headers, "input", from.text() + "/" + std::to_string(original.offset));
  if (original.value.size() > max_value_bytes) {
    storage::add_header(headers, "length", std::to_string(original.value.size()));
    storage::add_header(headers, "sha256", sha256_hex(original.value));
  }
  if (original.tombstone)
    to.add_tombstone(original.key, headers, now);
  else
    to.add(original.key, original.value.substr(0, max_value_bytes), headers, now);
}

} // namespace penstock::runtime
