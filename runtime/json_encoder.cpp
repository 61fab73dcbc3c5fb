// SPDX-License-Identifier: Apache-2.0
#include "runtime/json_encoder.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

namespace penstock::runtime {

namespace {

/// Longest text of a float64 (-2.2250738585072014e-308) or int64, and of the words.
constexpr std::size_t longest_scalar = 32;
/// Longest escape of one byte: \u001f.
constexpr std::size_t longest_escape = 6;

constexpr std::array<bool, 256> make_escaped() {
  std::array<bool, 256> out{};
  for (std::size_t c = 0; c < 0x20; ++c)
    out[c] = true;
  out['"'] = out['\\'] = true;
  return out;
}
constexpr auto escaped = make_escaped();

char* put(char* at, std::string_view text) {
  std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

char* put_escape(char* at, char c) {
  constexpr std::string_view hexadecimal = "0123456789abcdef";
  switch (c) {
  case '"':
    return put(at, "\\\"");
  case '\\':
    return put(at, "\\\\");
  case '\n':
    return put(at, "\\n");
  case '\r':
    return put(at, "\\r");
  case '\t':
    return put(at, "\\t");
  default:
    break;
  }
  at = put(at, "\\u00");
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

/// Numbers and words; strings are not meant.
char* put_scalar(char* at, const cell& value) {
  switch (value.what) {
  case cell::kind::int64:
    return std::to_chars(at, at + longest_scalar, value.integer).ptr;
  case cell::kind::float64:
    if (std::isfinite(value.number))
      return std::to_chars(at, at + longest_scalar, value.number).ptr;
    break;
  case cell::kind::boolean:
    return put(at, value.flag ? "true" : "false");
  case cell::kind::string:
  case cell::kind::null:
    break;
  }
  return put(at, "null");
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

void json_encoder::encode(std::span<const cell> cells, std::string& to) const {
  const auto begin = to.size();
  std::size_t most = fixed_ + 2;
  for (const auto& value : cells)
    most += value.what == cell::kind::string ? value.length * longest_escape + 2 : longest_scalar;
  to.resize(begin + most);
  char* at = to.data() + begin;
  for (std::size_t i = 0; i < prefixes_.size(); ++i) {
    at = put(at, prefixes_[i]);
    at = cells[i].what == cell::kind::string ? put_string(at, cells[i].string()) : put_scalar(at, cells[i]);
  }
  if (prefixes_.empty())
    *at++ = '{';
  *at++ = '}';
  to.resize(static_cast<std::size_t>(at - to.data()));
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
