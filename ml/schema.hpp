// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace penstock::ml {

enum class field_type : std::uint8_t { int64, float64, boolean, string };

[[nodiscard]] const char* name_of(field_type type);
[[nodiscard]] std::optional<field_type> field_type_of(std::string_view name);

/// One field of a row: its type and what a value must keep to.
struct field_spec {
  std::string name;
  field_type type = field_type::float64;
  bool nullable = false;
  std::optional<double> min;       ///< numbers only, inclusive
  std::optional<double> max;       ///< numbers only, inclusive
  std::vector<std::string> one_of; ///< allowed values as text; empty = any
  bool operator==(const field_spec&) const = default;
};

/// A value of a row. `monostate` is null.
using value = std::variant<std::monostate, std::int64_t, double, bool, std::string>;

/// The fields of a row, in order. Names are unique.
class schema {
public:
  schema() = default;
  /// `errc::invalid` for a name that occurs twice, bounds on a non-number, or min > max.
  [[nodiscard]] static result<schema> make(std::vector<field_spec> fields);

  [[nodiscard]] const std::vector<field_spec>& fields() const { return fields_; }
  [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const;
  [[nodiscard]] std::size_t size() const { return fields_.size(); }
  bool operator==(const schema&) const = default;

private:
  std::vector<field_spec> fields_;
};

/// Checks one value against its field: null where not nullable, outside min/max, not finite, not one of the allowed.
/// The error text is the cause that ends up with a dead letter.
[[nodiscard]] status check(const field_spec& field, const value& value);

} // namespace penstock::ml
