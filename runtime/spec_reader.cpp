// SPDX-License-Identifier: Apache-2.0
#include "runtime/spec_reader.hpp"

#include "base/spelling.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace penstock::runtime {

namespace {

constexpr std::size_t longest_name = 63;
constexpr std::size_t most_fields = 4096;

/// What a message quotes of a value.
std::string quote(std::string_view text) {
  return text.size() <= 80 ? fmt::format("\"{}\"", text) : fmt::format("\"{}…\"", text.substr(0, 80));
}

template <class Number>
std::optional<Number> whole(std::string_view text) {
  Number value{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

std::string alternatives(std::span<const std::string> words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i)
    out += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  return out;
}

} // namespace

bool is_name(std::string_view text) {
  const auto edge = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !text.empty() && text.size() <= longest_name && edge(text.front()) && edge(text.back()) &&
         std::ranges::all_of(text, [&](char c) { return edge(c) || c == '-' || c == '_' || c == '.'; });
}

std::string suggestion(std::string_view word, std::span<const std::string> known) {
  const auto near = nearest(word, known);
  return near ? fmt::format("; did you mean {}?", *near) : std::string();
}

void spec_reader::subject(std::string name, int line) {
  subject_ = std::move(name);
  path_.clear();
  places_[subject_ + ": "] = line;
}

int spec_reader::line_of(const std::string& subject, std::string path) const {
  for (;;) {
    if (const auto found = places_.find(subject + ": " + path); found != places_.end())
      return found->second;
    if (path.empty())
      return 1;
    const auto cut = path.find_last_of(".[");
    path.resize(cut == std::string::npos ? 0 : cut);
  }
}

bool spec_reader::is(const yaml_node& node, yaml_node::kind wanted) {
  if (node.what == wanted)
    return true;
  problem(node, fmt::format("must be {}, not {}", name_of(wanted), name_of(node.what)));
  return false;
}

std::optional<std::string> spec_reader::text(const yaml_node& node) {
  if (!is(node, yaml_node::kind::scalar))
    return std::nullopt;
  return node.text;
}

std::optional<std::string> spec_reader::name(const yaml_node& node) {
  if (!is(node, yaml_node::kind::scalar))
    return std::nullopt;
  if (is_name(node.text))
    return node.text;
  problem(node, fmt::format("{} is no name; use at most {} of a-z, 0-9, \"-\", \"_\" and \".\", with a letter or digit "
                            "at both ends",
                            quote(node.text), longest_name));
  return std::nullopt;
}

bool spec_reader::check_field_name(int line, std::string_view name) {
  const bool clean =
      std::ranges::none_of(name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (!name.empty() && name.size() <= longest_name && clean)
    return true;
  problem(line, fmt::format("{}: {} is no name of a field; use 1 to {} bytes without control characters", where(),
                            quote(name), longest_name));
  return false;
}

std::optional<std::string> spec_reader::field_name(const yaml_node& node) {
  if (!is(node, yaml_node::kind::scalar) || !check_field_name(node.line, node.text))
    return std::nullopt;
  return node.text;
}

std::optional<std::int64_t> spec_reader::integer(const yaml_node& node, std::int64_t least, std::int64_t most) {
  if (!is(node, yaml_node::kind::scalar))
    return std::nullopt;
  const auto value = whole<std::int64_t>(node.text);
  if (value && *value >= least && *value <= most)
    return value;
  problem(node, most == std::numeric_limits<std::int64_t>::max()
                    ? fmt::format("{} is no whole number of at least {}", quote(node.text), least)
                    : fmt::format("{} is no whole number from {} to {}", quote(node.text), least, most));
  return std::nullopt;
}

std::optional<double> spec_reader::number(const yaml_node& node) {
  if (!is(node, yaml_node::kind::scalar))
    return std::nullopt;
  const auto value = whole<double>(node.text);
  if (value && std::isfinite(*value))
    return value;
  problem(node, quote(node.text) + " is no number");
  return std::nullopt;
}

std::optional<bool> spec_reader::flag(const yaml_node& node) {
  if (!is(node, yaml_node::kind::scalar))
    return std::nullopt;
  if (node.text == "true" || node.text == "false")
    return node.text == "true";
  problem(node, quote(node.text) + " is neither true nor false");
  return std::nullopt;
}

std::optional<duration> spec_reader::time_span(const yaml_node& node, duration least, duration most) {
  if (!is(node, yaml_node::kind::scalar))
    return std::nullopt;
  const auto value = checked(node, parse_duration(node.text));
  if (!value || (*value >= least && *value <= most))
    return value;
  problem(node, fmt::format("{} is outside {} to {}", node.text, format_duration(least), format_duration(most)));
  return std::nullopt;
}

std::optional<std::uint64_t> spec_reader::size(const yaml_node& node) {
  return is(node, yaml_node::kind::scalar) ? checked(node, parse_size(node.text)) : std::nullopt;
}

std::optional<double> spec_reader::fraction(const yaml_node& node) {
  if (!is(node, yaml_node::kind::scalar))
    return std::nullopt;
  const auto value = checked(node, parse_fraction(node.text));
  if (!value || (*value > 0 && *value < 1))
    return value;
  problem(node, node.text + " leaves one side empty; write more than 0% and less than 100%");
  return std::nullopt;
}

std::optional<std::size_t> spec_reader::choice(const yaml_node& node, std::span<const std::string> words) {
  if (!is(node, yaml_node::kind::scalar))
    return std::nullopt;
  const auto found = std::ranges::find(words, node.text);
  if (found != words.end())
    return static_cast<std::size_t>(found - words.begin());
  problem(node, fmt::format("{} must be {}{}", quote(node.text), alternatives(words), suggestion(node.text, words)));
  return std::nullopt;
}

std::optional<std::filesystem::path> spec_reader::path_to(const yaml_node& node) {
  if (!is(node, yaml_node::kind::scalar))
    return std::nullopt;
  if (!node.text.empty() && node.text.find('\0') == std::string::npos)
    return (folder_ / node.text).lexically_normal();
  problem(node, "needs a path");
  return std::nullopt;
}

std::optional<std::vector<std::string>> spec_reader::field_names(const yaml_node& node) {
  if (!is(node, yaml_node::kind::sequence))
    return std::nullopt;
  if (node.items.empty() || node.items.size() > most_fields) {
    problem(node, fmt::format("needs 1 to {} names", most_fields));
    return std::nullopt;
  }
  std::vector<std::string> out;
  for (const auto& item : node.items) {
    const auto field = field_name(*item);
    if (!field)
      continue;
    if (std::ranges::find(out, *field) != out.end())
      problem(*item, *field + " occurs twice");
    else
      out.push_back(*field);
  }
  return out;
}

void spec_reader::unknown_key(const std::string& key, int line, std::span<const std::string> known) {
  const auto near = suggestion(key, known);
  problem(line, fmt::format("{}: unknown key {}{}", where(), quote(key),
                            near.empty() ? "; known here: " + alternatives(known) : near));
}

} // namespace penstock::runtime
