// SPDX-License-Identifier: Apache-2.0
#include "runtime/json_ordered_reader.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

namespace penstock::runtime {

namespace {

bool is_digit(char c) {
  return static_cast<unsigned char>(c - '0') < 10;
}

/// Printable ASCII that a JSON string holds as it is.
bool is_plain(char c) {
  return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7f && c != '"' && c != '\\';
}

/// Powers of ten that float64 holds exactly.
constexpr std::array<double, 23> exact_powers{1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                              1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
/// All whole numbers up to here are float64 values.
constexpr std::uint64_t largest_exact = std::uint64_t{1} << 53;

/// `min ≤ number ≤ max` of the JSON value, as `ml::check` has it.
bool within(double number, double min, double max) {
  return number >= min && number <= max;
}

bool read_word(const char*& at, const char* end, std::string_view word) {
  if (static_cast<std::size_t>(end - at) < word.size() || std::memcmp(at, word.data(), word.size()) != 0)
    return false;
  at += word.size();
  return true;
}

bool read_int64(const char*& at, const char* end, std::int64_t& into) {
  const char* first = *at == '-' ? at + 1 : at;
  if (!is_digit(*first) || (*first == '0' && is_digit(first[1])))
    return false;
  const auto [behind, problem] = std::from_chars(at, end, into);
  at = behind;
  return problem == std::errc{};
}

} // namespace

bool read_json_number(const char*& at, double& into) {
  const char* begin = at;
  const bool negative = *at == '-';
  at += negative ? 1 : 0;
  const char* digits = at;
  std::uint64_t mantissa = 0;
  while (is_digit(*at))
    mantissa = mantissa * 10 + static_cast<std::uint64_t>(*at++ - '0');
  std::ptrdiff_t count = at - digits;
  if (count == 0 || (count > 1 && *digits == '0'))
    return false;
  std::ptrdiff_t places = 0;
  if (*at == '.') {
    const char* point = at++;
    while (is_digit(*at))
      mantissa = mantissa * 10 + static_cast<std::uint64_t>(*at++ - '0');
    places = at - point - 1;
    if (places == 0)
      return false;
    count += places;
  }
  const bool has_exponent = *at == 'e' || *at == 'E';
  // A quotient of two exact values is rounded once, which is the nearest float64 (Clinger 1990).
  if (!has_exponent && count <= 19 && mantissa <= largest_exact && places < std::ssize(exact_powers)) {
    const double value = static_cast<double>(mantissa) / exact_powers[static_cast<std::size_t>(places)];
    into = negative ? -value : value;
    return true;
  }
  if (has_exponent) {
    ++at;
    at += *at == '+' || *at == '-' ? 1 : 0;
    if (!is_digit(*at))
      return false;
    while (is_digit(*at))
      ++at;
  }
  const auto [behind, problem] = std::from_chars(begin, at, into);
  return problem == std::errc{} && behind == at && std::isfinite(into);
}

json_ordered_reader::json_ordered_reader(const ml::schema& schema) {
  for (const auto& spec : schema.fields()) {
    usable_ = usable_ && std::ranges::all_of(spec.name, is_plain) &&
              (spec.one_of.empty() || spec.type == ml::field_type::string);
    fields_.push_back({'"' + spec.name + "\":", spec.type, spec.nullable,
                       spec.min.value_or(-std::numeric_limits<double>::infinity()),
                       spec.max.value_or(std::numeric_limits<double>::infinity()), spec.one_of});
  }
  usable_ = usable_ && !fields_.empty();
}

bool json_ordered_reader::read_value(const field& of, const char*& at, const char* end, cell& into) {
  if (*at == 'n') {
    into = {};
    return of.nullable && read_word(at, end, "null");
  }
  switch (of.type) {
  case ml::field_type::float64: {
    double number = 0;
    if (!read_json_number(at, number) || !within(number, of.min, of.max))
      return false;
    into = cell::of(number);
    return true;
  }
  case ml::field_type::int64: {
    std::int64_t number = 0;
    if (!read_int64(at, end, number) || !within(static_cast<double>(number), of.min, of.max))
      return false;
    into = cell::of(number);
    return true;
  }
  case ml::field_type::boolean:
    into = cell::of(*at == 't');
    return read_word(at, end, *at == 't' ? "true" : "false");
  case ml::field_type::string:
    break;
  }
  if (*at != '"')
    return false;
  const char* begin = ++at;
  while (at < end && is_plain(*at)) // the sentinel may stand in a string
    ++at;
  const std::string_view text(begin, static_cast<std::size_t>(at - begin));
  into = cell::of(text);
  return *at++ == '"' && (of.one_of.empty() || std::ranges::find(of.one_of, text) != of.one_of.end());
}

bool json_ordered_reader::read(std::string_view record, std::span<cell> cells) const {
  // The closing brace is the sentinel: no number goes on with it, so that scans of digits need no other bound.
  if (!usable_ || record.size() < 2 || record.front() != '{' || record.back() != '}')
    return false;
  const char* at = record.data() + 1;
  const char* last = record.data() + record.size() - 1;
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (i > 0) {
      if (*at != ',')
        return false;
      at += at[1] == ' ' ? 2 : 1;
    }
    if (!read_word(at, last, fields_[i].prefix))
      return false;
    at += *at == ' ' ? 1 : 0;
    if (!read_value(fields_[i], at, last, cells[i]))
      return false;
  }
  return at == last;
}

} // namespace penstock::runtime
