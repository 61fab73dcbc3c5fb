// SPDX-License-Identifier: Apache-2.0
#include "runtime/json_encoder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>

namespace penstock::runtime {

namespace {

/// Longest text of a float64 (-2.2250738585072014e-308) or int64, and of the words.
constexpr std::size_t longest_scalar = 32;
/// Longest escape of one byte: \u001f.
constexpr std::size_t longest_escape = 6;
constexpr std::size_t longest_short = 1024;

constexpr std::array<bool, 256> make_escaped() {
  std::array<bool, 256> out{};
  for (std::size_t c = 0; c < 0x20; ++c)
    out[c] = true;
  out['"'] = out['\\'] = true;
  return out;
}
constexpr auto escaped = make_escaped();

char* put_bytes(char* at, std::string_view text) {
  std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

char* put_escape(char* at, char c) {
  constexpr std::string_view hexadecimal = "0123456789abcdef";
  switch (c) {
  case '"':
    return put_bytes(at, "\\\"");
  case '\\':
    return put_bytes(at, "\\\\");
  case '\n':
    return put_bytes(at, "\\n");
  case '\r':
    return put_bytes(at, "\\r");
  case '\t':
    return put_bytes(at, "\\t");
  default:
    break;
  }
  at = put_bytes(at, "\\u00");
  *at++ = hexadecimal[static_cast<unsigned char>(c) >> 4];
  *at++ = hexadecimal[static_cast<unsigned char>(c) & 15];
  return at;
}

char* put_string(char* at, std::string_view text) {
  *at++ = '"';
  for (const char c : text) {
    if (escaped[static_cast<unsigned char>(c)])
      at = put_escape(at, c);
    else
      *at++ = c;
  }
  *at++ = '"';
  return at;
}

/// A finite float64 in its shortest form, laid out as ECMAScript's Number::toString does: plain between 1e-6 and 1e21,
/// otherwise with an exponent.
char* put_number(char* at, double value) {
  if (std::signbit(value))
    *at++ = '-';
  if (value == 0) {
    *at++ = '0';
    return at;
  }
  // The digits come from fmt's Dragonbox (Jeon 2020), which takes a third of the time of std::to_chars.
  const auto shortest = fmt::detail::dragonbox::to_decimal(std::fabs(value));
  char digits[20];
  const auto count =
      static_cast<int>(std::to_chars(digits, digits + sizeof(digits), shortest.significand).ptr - digits);
  const int point = count + shortest.exponent; // digits before the point
  const std::string_view all(digits, static_cast<std::size_t>(count));
  if (shortest.exponent >= 0 && point <= 21) {
    at = put_bytes(at, all);
    return std::fill_n(at, shortest.exponent, '0');
  }
  if (point > 0 && point <= 21) {
    at = put_bytes(at, all.substr(0, static_cast<std::size_t>(point)));
    *at++ = '.';
    return put_bytes(at, all.substr(static_cast<std::size_t>(point)));
  }
  if (point > -6 && point <= 0) {
    at = std::fill_n(put_bytes(at, "0."), -point, '0');
    return put_bytes(at, all);
  }
  *at++ = all.front();
  if (count > 1) {
    *at++ = '.';
    at = put_bytes(at, all.substr(1));
  }
  at = put_bytes(at, point > 0 ? "e+" : "e-");
  return std::to_chars(at, at + 4, std::abs(point - 1)).ptr;
}

/// Numbers and words; strings are not meant.
char* put_scalar(char* at, const cell& value) {
  switch (value.what) {
  case cell::kind::int64:
    return std::to_chars(at, at + longest_scalar, value.integer).ptr;
  case cell::kind::float64:
    if (std::isfinite(value.number))
      return put_number(at, value.number);
    break;
  case cell::kind::boolean:
    return put_bytes(at, value.flag ? "true" : "false");
  case cell::kind::string:
  case cell::kind::null:
    break;
  }
  return put_bytes(at, "null");
}

} // namespace

json_encoder::json_encoder(const std::vector<std::string>& fields) {
  for (const auto& field : fields) {
    std::string prefix(1, prefixes_.empty() ? '{' : ',');
    append_json_string(field, prefix);
    prefix += ':';
    fixed_ += prefix.size();
    prefixes_.push_back(std::move(prefix));
  }
}

char* json_encoder::put(std::span<const cell> cells, char* at) const {
  for (std::size_t i = 0; i < prefixes_.size(); ++i) {
    at = put_bytes(at, prefixes_[i]);
    at = cells[i].what == cell::kind::string ? put_string(at, cells[i].string()) : put_scalar(at, cells[i]);
  }
  if (prefixes_.empty())
    *at++ = '{';
  *at++ = '}';
  return at;
}

void json_encoder::encode(std::span<const cell> cells, std::string& to) const {
  std::size_t most = fixed_ + 2;
  for (const auto& value : cells)
    most += value.what == cell::kind::string ? value.length * longest_escape + 2 : longest_scalar;
  // Growing a string clears what it gains, so that a short record is cheaper copied than written in place.
  if (char buffer[longest_short]; most <= longest_short) {
    to.append(buffer, put(cells, buffer));
    return;
  }
  const auto begin = to.size();
  to.resize(begin + most);
  const char* end = put(cells, to.data() + begin);
  to.resize(static_cast<std::size_t>(end - to.data()));
}

void append_text(const cell& value, std::string& to) {
  if (value.what == cell::kind::string) {
    to += value.string();
  } else if (!value.is_null()) {
    char text[longest_scalar];
    to.append(text, put_scalar(text, value));
  }
}

void append_json_string(std::string_view text, std::string& to) {
  const auto begin = to.size();
  to.resize(begin + text.size() * longest_escape + 2);
  const char* end = put_string(to.data() + begin, text);
  to.resize(static_cast<std::size_t>(end - to.data()));
}

} // namespace penstock::runtime
