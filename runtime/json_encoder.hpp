// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/cell.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::runtime {

/// Writes records as JSON objects with the same fields in the same order, without blanks. A float64 is written in the
/// shortest form that reads back as the same bits; one that is not finite, which JSON cannot say, as null.
/// Immutable: any thread may encode.
class json_encoder {
public:
  explicit json_encoder(const std::vector<std::string>& fields);

  /// Appends an object. @param cells  one for each field, in order
  void encode(std::span<const cell> cells, std::string& to) const;

private:
  char* put(std::span<const cell> cells, char* at) const;

  std::vector<std::string> prefixes_; ///< `{"first":`, `,"second":` …
  std::size_t fixed_ = 0;             ///< bytes of all prefixes
};

/// The text of a value as a record's key: strings as they are, numbers as JSON writes them. Null has none.
void append_text(const cell& value, std::string& to);

/// Appends `"text"` with everything escaped that RFC 8259 wants escaped.
void append_json_string(std::string_view text, std::string& to);

} // namespace penstock::runtime
