// SPDX-License-Identifier: Apache-2.0
#include "web/http_message.hpp"

#include "web/text_encoding.hpp"

namespace penstock::web {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

result<std::string> decode(std::string_view text, bool plus_is_blank) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_blank) {
      out += ' ';
      continue;
    }
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0)
      return fail(errc::invalid, "malformed percent-encoding at \"{}\"", text.substr(i, 3));
    if (high == 0 && low == 0)
      return fail(errc::invalid, "a NUL byte is not allowed in a request target");
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (!is_utf8(out))
    return fail(errc::invalid, "the request target is not UTF-8");
  return out;
}

} // namespace

std::optional<std::string> request_target::parameter(const std::string& name) const {
  const auto found = query.find(name);
  return found == query.end() ? std::nullopt : std::optional(found->second);
}

result<request_target> parse_target(std::string_view target) {
  if (target.empty() || target.front() != '/')
    return fail(errc::invalid, "the request target must be a path that begins with /");
  request_target out;
  const auto question = target.find('?');
  std::string_view path = target.substr(1, question == std::string_view::npos ? question : question - 1);
  while (true) {
    const auto slash = path.find('/');
    auto segment = decode(path.substr(0, slash), false);
    if (!segment)
      return segment.error();
    if (*segment == "." || *segment == "..")
      return fail(errc::invalid, "a path with \".\" or \"..\" is not allowed");
    out.segments.push_back(*std::move(segment));
    if (slash == std::string_view::npos)
      break;
    path.remove_prefix(slash + 1);
  }
  if (question != std::string_view::npos) {
    auto query = parse_form(target.substr(question + 1));
    if (!query)
      return query.error();
    out.query = *std::move(query);
  }
  return out;
}

result<std::map<std::string, std::string>> parse_form(std::string_view text) {
  std::map<std::string, std::string> out;
  while (!text.empty()) {
    const auto end = text.find('&');
    const auto pair = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    if (pair.empty())
      continue;
    const auto equals = pair.find('=');
    auto name = decode(pair.substr(0, equals), true);
    if (!name)
      return name.error();
    auto value = decode(equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1), true);
    if (!value)
      return value.error();
    out[*std::move(name)] = *std::move(value);
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || c == '.' || c == '~';
    if (plain)
      out += c;
    else
      (out += '%', out += digits[byte >> 4], out += digits[byte & 15]);
  }
  return out;
}

} // namespace penstock::web
