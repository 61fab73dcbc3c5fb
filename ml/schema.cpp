// SPDX-License-Identifier: Apache-2.0
#include "ml/schema.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

namespace penstock::ml {

namespace {

constexpr std::array all_types{field_type::int64, field_type::float64, field_type::boolean, field_type::string};

bool is_number(field_type type) {
  return type == field_type::int64 || type == field_type::float64;
}

const char* name_of(const value& value) {
  switch (value.index()) {
  case 0:
    return "null";
  case 1:
    return "an integer";
  case 2:
    return "a number";
  case 3:
    return "a boolean";
  default:
    return "a string";
  }
}

bool fits(field_type type, const value& value) {
  switch (type) {
  case field_type::int64:
    return std::holds_alternative<std::int64_t>(value);
  case field_type::float64:
    return std::holds_alternative<double>(value) || std::holds_alternative<std::int64_t>(value);
  case field_type::boolean:
    return std::holds_alternative<bool>(value);
  case field_type::string:
    return std::holds_alternative<std::string>(value);
  }
  return false;
}

std::string text_of(const value& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    return fmt::format("{}", *integer);
  }
  if (const auto* number = std::get_if<double>(&value)) {
    return fmt::format("{}", *number);
  }
  if (const auto* boolean = std::get_if<bool>(&value)) {
    return *boolean ? "true" : "false";
  }
  const auto* string = std::get_if<std::string>(&value);
  return string ? *string : "null";
}

status check_number(const field_spec& field, double number) {
  if (!std::isfinite(number)) {
    return fail(errc::invalid, "field {}: {} is not a finite number", field.name, number);
  }
  if (field.min && number < *field.min) {
    return fail(errc::invalid, "field {}: {} is below its minimum {}", field.name, number, *field.min);
  }
  if (field.max && number > *field.max) {
    return fail(errc::invalid, "field {}: {} is above its maximum {}", field.name, number, *field.max);
  }
  return {};
}

} // namespace

const char* name_of(field_type type) {
  switch (type) {
  case field_type::int64:
    return "int64";
  case field_type::float64:
    return "float64";
  case field_type::boolean:
    return "boolean";
  case field_type::string:
    return "string";
  }
  return "unknown";
}

std::optional<field_type> field_type_of(std::string_view name) {
  for (auto type : all_types) {
    if (name == name_of(type)) {
      return type;
    }
  }
  return {};
}

result<schema> schema::make(std::vector<field_spec> fields) {
  std::set<std::string_view> names;
  for (const auto& field : fields) {
    if (field.name.empty()) {
      return fail(errc::invalid, "schema: a field has an empty name");
    }
    if (!names.insert(field.name).second) {
      return fail(errc::invalid, "schema: field {} occurs twice; names must be unique", field.name);
    }
    if ((field.min || field.max) && !is_number(field.type)) {
      return fail(errc::invalid, "schema: field {} is {} and cannot have min or max", field.name, name_of(field.type));
    }
    if ((field.min && !std::isfinite(*field.min)) || (field.max && !std::isfinite(*field.max))) {
      return fail(errc::invalid, "schema: field {} has a bound that is not finite", field.name);
    }
    if (field.min && field.max && *field.min > *field.max) {
      return fail(errc::invalid, "schema: field {} has min {} above max {}", field.name, *field.min, *field.max);
    }
  }
  schema made;
  made.fields_ = std::move(fields);
  return made;
}

std::optional<std::size_t> schema::find(std::string_view name) const {
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (fields_[i].name == name) {
      return i;
    }
  }
  return {};
}

status check(const field_spec& field, const value& cell) {
  if (std::holds_alternative<std::monostate>(cell)) {
    if (field.nullable) {
      return {};
    }
    return fail(errc::invalid, "field {}: is null but not nullable", field.name);
  }
  if (!fits(field.type, cell)) {
    return fail(errc::invalid, "field {}: expected {}, found {}", field.name, name_of(field.type), name_of(cell));
  }
  if (is_number(field.type)) {
    const auto* integer = std::get_if<std::int64_t>(&cell);
    auto checked = check_number(field, integer ? static_cast<double>(*integer) : *std::get_if<double>(&cell));
    if (!checked) {
      return checked;
    }
  }
  if (!field.one_of.empty()) {
    const auto text = text_of(cell);
    if (std::find(field.one_of.begin(), field.one_of.end(), text) == field.one_of.end()) {
      return fail(errc::invalid, "field {}: {} is not one of {}", field.name, text.substr(0, 64),
                  fmt::join(field.one_of, ", "));
    }
  }
  return {};
}

} // namespace penstock::ml
