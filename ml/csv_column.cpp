// SPDX-License-Identifier: Apache-2.0
#include "ml/csv_column.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace penstock::ml {

namespace {

constexpr double largest_exact = 9007199254740992.0; // 2⁵³

bool is_missing(std::string_view cell) {
  return cell.empty() || cell == "?" || cell == "NA" || cell == "NaN" || cell == "nan" || cell == "null";
}

std::optional<bool> parse_boolean(std::string_view cell) {
  if (cell == "true" || cell == "True" || cell == "TRUE") {
    return true;
  }
  if (cell == "false" || cell == "False" || cell == "FALSE") {
    return false;
  }
  return {};
}

/// A finite number, the whole of the cell; a plus sign is allowed.
std::optional<double> parse_number(std::string_view cell) {
  if (cell.size() > 1 && cell[0] == '+' && cell[1] != '-') {
    cell.remove_prefix(1);
  }
  double number = 0;
  const auto parsed = std::from_chars(cell.data(), cell.data() + cell.size(), number);
  if (parsed.ec != std::errc{} || parsed.ptr != cell.data() + cell.size() || !std::isfinite(number)) {
    return {};
  }
  return number;
}

/// Digits and a sign, no point and no exponent.
bool is_whole(std::string_view cell, double number) {
  const bool digits = std::all_of(cell.begin() + (cell[0] == '-' || cell[0] == '+'), cell.end(),
                                  [](char c) { return c >= '0' && c <= '9'; });
  return digits && std::abs(number) <= largest_exact;
}

} // namespace

std::string_view trim(std::string_view text) {
  constexpr std::string_view blanks = " \t";
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

bool csv_column::add(std::string_view cell) {
  const auto trimmed = trim(cell);
  const bool missing = is_missing(trimmed);
  if (undecided_) {
    note_type(trimmed);
    return true;
  }
  if (column_.field.type == field_type::string) {
    column_.strings.emplace_back(missing ? std::string_view{} : cell);
  } else if (missing) {
    column_.numbers.push_back(std::numeric_limits<double>::quiet_NaN());
  } else if (const auto number = number_of(trimmed)) {
    column_.numbers.push_back(*number);
  } else if (inferred_) {
    undecided_ = true;
    all_boolean_ = all_boolean_ && !any_;
    note_type(trimmed);
    return true;
  } else {
    return false;
  }
  any_ = any_ || !missing;
  mark_missing(missing);
  return true;
}

std::optional<double> csv_column::number_of(std::string_view trimmed) {
  if (column_.field.type == field_type::boolean) {
    const auto boolean = parse_boolean(trimmed);
    return boolean ? std::optional<double>(*boolean ? 1 : 0) : std::nullopt;
  }
  const auto number = parse_number(trimmed);
  if (!number) {
    return {};
  }
  if (column_.field.type == field_type::int64) {
    return std::abs(*number) <= largest_exact && *number == std::floor(*number) ? number : std::nullopt;
  }
  all_whole_ = all_whole_ && is_whole(trimmed, *number);
  return number;
}

void csv_column::note_type(std::string_view trimmed) {
  if (!is_missing(trimmed)) {
    all_boolean_ = all_boolean_ && parse_boolean(trimmed).has_value();
  }
}

void csv_column::mark_missing(bool missing) {
  if (missing && column_.missing.empty()) {
    column_.missing.resize(rows_, false);
  }
  if (missing || !column_.missing.empty()) {
    column_.missing.push_back(missing);
  }
  ++rows_;
}

void csv_column::shrink_to(std::size_t rows) {
  if (rows_ <= rows) {
    return;
  }
  rows_ = rows;
  auto& [field, numbers, strings, missing] = column_;
  numbers.resize(std::min(numbers.size(), rows));
  strings.resize(std::min(strings.size(), rows));
  missing.resize(std::min(missing.size(), rows));
}

void csv_column::decide() {
  auto name = std::move(column_.field.name);
  column_ = {};
  column_.field.name = std::move(name);
  column_.field.type = all_boolean_ ? field_type::boolean : field_type::string;
  rows_ = 0;
  undecided_ = false;
}

data_set::column csv_column::take() {
  auto& missing = column_.missing;
  if (std::find(missing.begin(), missing.end(), true) == missing.end()) {
    missing.clear();
  }
  if (inferred_) {
    column_.field.nullable = !missing.empty();
    if (column_.field.type == field_type::float64 && any_ && all_whole_) {
      column_.field.type = field_type::int64;
    }
  }
  return std::move(column_);
}

} // namespace penstock::ml
