// SPDX-License-Identifier: Apache-2.0
#include "tools/output_format.hpp"

#include "base/spelling.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cctype>

namespace penstock::tools {

namespace {

constexpr std::array format_names{"table", "wide", "json", "jsonl", "yaml", "name", "value"};

/// Characters that take a column on a terminal: UTF-8 continuation bytes take none.
std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string printable(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return text;
}

bool plain_yaml(const std::string& text) {
  static const std::vector<std::string> words{"true", "false", "null", "yes", "no", "on", "off", "y", "n"};
  std::string lower = text;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (text.empty() || std::ranges::find(words, lower) != words.end())
    return false;
  const auto first = static_cast<unsigned char>(text.front());
  if (!std::isalpha(first) && text.front() != '/' && text.front() != '_' && text.front() != '$')
    return false;
  return std::ranges::all_of(text,
                             [](unsigned char c) {
                               return std::isalnum(c) || c == '_' || c == '-' || c == '.' || c == '/' || c == '$' ||
                                      c == '+' || c == ' ';
                             }) &&
         text.back() != ' ';
}

std::string yaml_scalar(const document& value) {
  if (value.is_string() && plain_yaml(value.get_ref<const std::string&>()))
    return value.get<std::string>();
  if (value.is_structured())
    return value.is_array() ? "[]" : "{}";
  return value.dump(-1, ' ', false, document::error_handler_t::replace);
}

void write_yaml(std::string& out, const document& value, std::size_t indent);

void write_yaml_entry(std::string& out, const document& value, std::size_t indent) {
  if (!value.is_structured() || value.empty()) {
    out += " " + yaml_scalar(value) + "\n";
    return;
  }
  out += "\n";
  write_yaml(out, value, indent + 2);
}

void write_yaml(std::string& out, const document& value, std::size_t indent) {
  const std::string blanks(indent, ' ');
  if (value.is_object()) {
    for (const auto& [key, each] : value.items()) {
      out += blanks + yaml_scalar(key) + ":";
      write_yaml_entry(out, each, indent);
    }
    return;
  }
  for (const auto& each : value) {
    std::string inner;
    if (each.is_structured() && !each.empty())
      write_yaml(inner, each, indent + 2);
    else
      inner = blanks + "  " + yaml_scalar(each) + "\n";
    inner[indent] = '-';
    out += inner;
  }
}

} // namespace

const char* name_of(output_format format) {
  return format_names[static_cast<std::size_t>(format)];
}

void add_format_option(verb_page& page, const std::string& choices) {
  page.options.add_options()("output,o", boost::program_options::value<std::string>()->value_name("FORMAT"),
                             choices.c_str());
}

result<output_format> format_of(const parsed_line& line, std::initializer_list<output_format> allowed) {
  const auto wanted = line.value("output");
  if (!wanted)
    return *allowed.begin();
  std::vector<std::string> known;
  for (const auto each : allowed) {
    if (*wanted == name_of(each))
      return each;
    known.emplace_back(name_of(each));
  }
  const auto near = nearest(*wanted, known);
  std::string list;
  for (const auto& each : known)
    list += (list.empty() ? "" : ", ") + each;
  return fail(errc::usage, "-o {} is not possible here{}; choose from {}", *wanted,
              near ? ", did you mean " + *near + "?" : "", list);
}

std::string as_text(const document& content, output_format format) {
  if (format == output_format::yaml)
    return as_yaml(content);
  const int indent = format == output_format::jsonl ? -1 : 2;
  return content.dump(indent, ' ', false, document::error_handler_t::replace) + "\n";
}

std::string as_yaml(const document& content) {
  if (!content.is_structured() || content.empty())
    return yaml_scalar(content) + "\n";
  std::string out;
  write_yaml(out, content, 0);
  return out;
}

std::string as_table(const std::vector<std::string>& headings, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& heading : headings)
    widths.push_back(columns_of(heading));
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i)
      widths[i] = std::max(widths[i], columns_of(row[i]));
  std::string out;
  const auto add = [&](const std::vector<std::string>& row) {
    std::string line;
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) {
      const auto cell = printable(row[i]);
      line += (i == 0 ? "" : "  ") + cell + std::string(widths[i] - columns_of(cell), ' ');
    }
    out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  };
  add(headings);
  for (const auto& row : rows)
    add(row);
  return out;
}

} // namespace penstock::tools
