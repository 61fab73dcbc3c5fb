// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ml/schema.hpp"
#include "runtime/cell.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::runtime {

/// The short way through `json_decoder`: reads a record that is written as most programs write it, with all fields of
/// the schema in its order, nothing else, ASCII strings without escapes, and at most one blank behind `:` and `,`.
///
/// It says no to everything else, to right and wrong alike: what it accepts, the long way accepts with the same cells,
/// and what it refuses, the long way judges. Immutable.
class json_ordered_reader {
public:
  explicit json_ordered_reader(const ml::schema& schema);

  /// @param record  readable up to its end only
  /// @param cells   as many as the schema has fields; strings point into the record
  [[nodiscard]] bool read(std::string_view record, std::span<cell> cells) const;

private:
  struct field {
    std::string prefix; ///< `"name":`
    ml::field_type type;
    bool nullable;
    double min, max;
    std::vector<std::string> one_of;
  };

  static bool read_value(const field& of, const char*& at, const char* end, cell& into);

  bool usable_ = true; ///< no name and no rule that only the long way knows
  std::vector<field> fields_;
};

/// Reads `number` of RFC 8259 at `at`, which ends before a byte that no number contains, and moves behind it. False
/// when it is malformed or not finite. The nearest float64, ties to even.
[[nodiscard]] bool read_json_number(const char*& at, double& into);

} // namespace penstock::runtime
