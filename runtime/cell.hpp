// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ml/schema.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::runtime {

/// A typed value of a record on the data path: 16 bytes, trivially copied, owns nothing. A string is a view into the
/// record's batch or into scratch memory of whoever made the cell, and lives no longer than that.
struct cell {
  enum class kind : std::uint8_t { null, int64, float64, boolean, string };

  kind what = kind::null;
  std::uint32_t length = 0; ///< of a string, bytes
  union {
    std::int64_t integer = 0;
    double number;
    bool flag;
    const char* text;
  };

  [[nodiscard]] static cell of(std::int64_t value) {
    cell out;
    out.what = kind::int64;
    out.integer = value;
    return out;
  }
  [[nodiscard]] static cell of(double value) {
    cell out;
    out.what = kind::float64;
    out.number = value;
    return out;
  }
  [[nodiscard]] static cell of(bool value) {
    cell out;
    out.what = kind::boolean;
    out.flag = value;
    return out;
  }
  [[nodiscard]] static cell of(std::string_view value) {
    cell out;
    out.what = kind::string;
    out.length = static_cast<std::uint32_t>(value.size());
    out.text = value.data();
    return out;
  }

  [[nodiscard]] bool is_null() const { return what == kind::null; }
  [[nodiscard]] std::string_view string() const { return {text, length}; }
  /// Number of an int64, float64 or boolean (0 or 1); 0 for others.
  [[nodiscard]] double as_number() const {
    switch (what) {
    case kind::int64:
      return static_cast<double>(integer);
    case kind::float64:
      return number;
    case kind::boolean:
      return flag ? 1 : 0;
    case kind::string:
    case kind::null:
      break;
    }
    return 0;
  }
};
static_assert(sizeof(cell) == 16);

/// The same value as the schema's rules want it.
[[nodiscard]] ml::value value_of(const cell& from);

} // namespace penstock::runtime
