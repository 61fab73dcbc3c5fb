// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "ml/schema.hpp"
#include "runtime/cell.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace penstock::runtime {

/// Reads records that are JSON objects (RFC 8259) into cells in a schema's order.
///
/// Strict: the whole record is checked, also what is ignored; UTF-8 must be valid; nothing may follow the object.
/// Fields may come in any order (the schema's is the fast one); fields that the schema does not know are ignored; a
/// field of the schema that occurs twice is refused, because readers of such a record disagree about what it says. A
/// number of an int64 field is written without point and exponent. A missing field of a nullable type is null.
///
/// A record in the schema's order goes through `json_ordered_reader`, everything else through simdjson On-Demand, which
/// alone decides what is wrong. simdjson picks its indexing kernel for the CPU it runs on; only the walk over the index
/// is compiled for every x86-64 alike.
///
/// Keeps scratch memory between records; one thread at a time.
class json_decoder {
public:
  /// Bytes that must be readable behind every record.
  static constexpr std::size_t padding = 64;
  /// Most levels of lists and objects in a value that is ignored.
  static constexpr int deepest = 64;

  explicit json_decoder(const ml::schema& schema);
  ~json_decoder();
  json_decoder(json_decoder&&) noexcept;

  /// Decodes one record. False when it breaks the schema; `cause` then says why, in the words that end up with its dead
  /// letter, and the cells mean nothing.
  /// @param record  followed by `padding` readable bytes; strings of the cells point into it
  /// @param cells   as many as the schema has fields
  [[nodiscard]] bool decode(std::string_view record, std::span<cell> cells, std::string& cause);

  /// Gives back the memory of strings with escapes: cells made so far mean nothing any more.
  void forget();

private:
  struct content;
  std::unique_ptr<content> content_;
};

} // namespace penstock::runtime
