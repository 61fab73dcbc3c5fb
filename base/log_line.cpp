// SPDX-License-Identifier: Apache-2.0
#include "base/log_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <iterator>

namespace penstock::logging {

namespace {

std::string_view name_of(level severity) {
  switch (severity) {
  case level::debug:
    return "debug";
  case level::info:
    return "info";
  case level::warning:
    return "warning";
  case level::error:
    return "error";
  }
  return "unknown";
}

/// Length of the UTF-8 sequence at the start of `text` (RFC 3629: shortest form, no surrogates), 0 when there is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const auto first = byte(0);
  if (first < 0x80)
    return 1;
  if (first >= 0xC2 && first <= 0xDF)
    return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool in_range = (first != 0xE0 || byte(1) >= 0xA0) && (first != 0xED || byte(1) <= 0x9F);
    return in_range && follows(1) && follows(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool in_range = (first != 0xF0 || byte(1) >= 0x90) && (first != 0xF4 || byte(1) <= 0x8F);
    return in_range && follows(1) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

/// Appends `text` as valid UTF-8 without control characters, in the escapes that JSON and C share.
void append_escaped(std::string& out, std::string_view text, bool quotes) {
  while (!text.empty()) {
    const char c = text.front();
    const auto length = utf8_length(text);
    if (length == 0)
      out += "\xEF\xBF\xBD";
    else if (c == '\n')
      out += "\\n";
    else if (c == '\t')
      out += "\\t";
    else if (c == '\r')
      out += "\\r";
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    else if (c == '\\' || (c == '"' && quotes))
      (out += '\\') += c;
    else if (length == 2 && static_cast<unsigned char>(c) == 0xC2 && static_cast<unsigned char>(text[1]) < 0xA0)
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(text[1])));
    else
      out += text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  append_escaped(out, text, true);
  out += '"';
}

bool is_number(const field& what) {
  static constexpr std::array<std::string_view, 6> numeric{"shard", "partition", "offset",
                                                           "epoch", "version",   "incarnation"};
  if (std::ranges::find(numeric, what.name) == numeric.end())
    return false;
  std::int64_t value = 0;
  const char* end = what.value.data() + what.value.size();
  const auto [stop, problem] = std::from_chars(what.value.data(), end, value);
  return problem == std::errc{} && stop == end && what.value == std::to_string(value);
}

} // namespace

std::string as_json(const line& what) {
  std::string out = fmt::format(R"({{"ts":"{}","level":"{}","event":)", format_wall(what.time), name_of(what.severity));
  append_json_string(out, what.event);
  out += ",\"msg\":";
  append_json_string(out, what.message);
  for (const auto& one : what.fields) {
    out += ',';
    append_json_string(out, one.name);
    out += ':';
    if (is_number(one))
      out += one.value;
    else
      append_json_string(out, one.value);
  }
  out += "}\n";
  return out;
}

std::string as_text(const line& what, bool colour) {
  const auto full = format_wall(what.time);
  const auto from = full.find('T');
  std::string out = from == std::string::npos ? full : full.substr(from + 1);
  const std::string_view paint = what.severity == level::error     ? "\x1b[31m"
                                 : what.severity == level::warning ? "\x1b[33m"
                                                                   : "";
  const bool painted = colour && !paint.empty();
  fmt::format_to(std::back_inserter(out), " {}{:<7}{} ", painted ? paint : "", name_of(what.severity),
                 painted ? "\x1b[0m" : "");
  append_escaped(out, what.message, false);
  out += "  [";
  append_escaped(out, what.event, false);
  out += ']';
  for (const auto& one : what.fields) {
    const bool quoted = one.value.empty() || one.value.find_first_of(" \"=") != std::string::npos;
    (out += ' ') += one.name;
    out += quoted ? "=\"" : "=";
    append_escaped(out, one.value, quoted);
    if (quoted)
      out += '"';
  }
  out += '\n';
  return out;
}

} // namespace penstock::logging
