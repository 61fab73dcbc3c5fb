// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "tools/verb_page.hpp"

#include <nlohmann/json_fwd.hpp>

#include <initializer_list>
#include <string>
#include <vector>

namespace penstock::tools {

/// JSON with the order of fields kept as it came.
using document = nlohmann::ordered_json;

/// What `-o` may say.
enum class output_format : std::uint8_t { table, wide, json, jsonl, yaml, name, value };

[[nodiscard]] const char* name_of(output_format format);

/// Adds `-o,--output` to a page.
/// @param choices  for the help text
void add_format_option(verb_page& page, const std::string& choices);

/// What `-o` says, the first of `allowed` when it is not given. `errc::usage` names what is allowed.
[[nodiscard]] result<output_format> format_of(const parsed_line& line, std::initializer_list<output_format> allowed);

/// One document as JSON, one line of JSON, or YAML, with a line feed at its end.
[[nodiscard]] std::string as_text(const document& content, output_format format);

/// JSON as YAML that any YAML reader takes back to the same JSON: block style, strings quoted where they could be taken
/// for something else.
[[nodiscard]] std::string as_yaml(const document& content);

/// Rows under headings, columns as wide as they need, two blanks between, none at the ends of lines. Control characters
/// become `?`: no name can drive the terminal.
[[nodiscard]] std::string as_table(const std::vector<std::string>& headings,
                                   const std::vector<std::vector<std::string>>& rows);

} // namespace penstock::tools
