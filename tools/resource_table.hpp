// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tools/output_format.hpp"

#include <span>
#include <string>
#include <vector>

namespace penstock::tools {

/// How one noun of `get` and `describe` is shown.
struct resource {
  struct column {
    const char* heading;
    std::string (*cell)(const document& item);
    bool wide = false; ///< only with -o wide
  };
  const char* noun;     ///< plural, as the API calls it: `actors`
  const char* singular; ///< `actor`
  const char* name;     ///< field that names an item
  std::vector<column> columns;
};

[[nodiscard]] std::span<const resource> resources();

/// By plural or singular; null when there is none.
[[nodiscard]] const resource* find_resource(const std::string& word);

/// Items as a table.
[[nodiscard]] std::string table_of(const resource& what, const std::vector<document>& items, bool wide);

/// The item's name, for -o name.
[[nodiscard]] std::string name_of(const resource& what, const document& item);

/// Everything about one item, for people: fields in order, nested ones indented, lists of objects as tables.
[[nodiscard]] std::string details_of(const document& item);

} // namespace penstock::tools
