// SPDX-License-Identifier: Apache-2.0
#include "web/list_page.hpp"

#include "base/bytes.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace penstock::web {

namespace {

constexpr std::int64_t default_limit = 100;
constexpr std::int64_t largest_limit = 1000;

struct condition {
  std::string field;
  std::string value; ///< lower case
};

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

result<std::vector<condition>> conditions_of(const std::string& filter) {
  std::vector<condition> out;
  std::string_view rest = filter;
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    const auto part = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    const auto equals = part.find('=');
    if (equals == std::string_view::npos || equals == 0)
      return fail(errc::invalid, "filter \"{}\" is not of the form field=value", part);
    out.push_back({std::string(part.substr(0, equals)), lower(std::string(part.substr(equals + 1)))});
  }
  return out;
}

bool holds(const document& item, const condition& wanted) {
  const document* at = &item;
  std::string_view path = wanted.field;
  while (true) {
    const auto dot = path.find('.');
    const auto found = at->is_object() ? at->find(std::string(path.substr(0, dot))) : at->end();
    if (!at->is_object() || found == at->end())
      return false;
    at = &*found;
    if (dot == std::string_view::npos)
      break;
    path.remove_prefix(dot + 1);
  }
  const auto text = at->is_string() ? at->get<std::string>() : dump_line(*at);
  return lower(text).find(wanted.value) != std::string::npos;
}

/// Position and filter under a checksum: a cursor of another list or filter is told from a good one.
std::string cursor_at(std::size_t position, const std::string& filter) {
  const auto text = std::to_string(position);
  return fmt::format("{}-{:08x}", text, crc32c(text + "|" + filter));
}

result<std::size_t> position_of(const std::string& cursor, const std::string& filter) {
  std::size_t position = 0;
  const auto [end, wrong] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), position);
  if (wrong != std::errc{} || cursor_at(position, filter) != cursor)
    return fail(errc::invalid, "the cursor is not one that this list has given for this filter");
  return position;
}

} // namespace

result<std::int64_t> number_parameter(const request_target& target, const std::string& name, std::int64_t least,
                                      std::int64_t most, std::int64_t fallback) {
  const auto text = target.parameter(name);
  if (!text)
    return fallback;
  std::int64_t value = 0;
  const auto [end, wrong] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (wrong != std::errc{} || end != text->data() + text->size() || value < least || value > most)
    return fail(errc::invalid, "{}={} is not a whole number from {} to {}", name, *text, least, most);
  return value;
}

result<document> list_page(std::vector<document> items, const request_target& target) {
  const auto filter = target.parameter("filter").value_or("");
  const auto conditions = conditions_of(filter);
  if (!conditions)
    return conditions.error();
  const auto limit = number_parameter(target, "limit", 1, largest_limit, default_limit);
  if (!limit)
    return limit.error();
  std::size_t first = 0;
  if (const auto cursor = target.parameter("cursor")) {
    const auto position = position_of(*cursor, filter);
    if (!position)
      return position.error();
    first = *position;
  }
  std::erase_if(items, [&](const document& item) {
    return !std::ranges::all_of(*conditions, [&](const condition& each) { return holds(item, each); });
  });
  document out{{"items", document::array()}};
  const auto end = std::min(items.size(), first + static_cast<std::size_t>(*limit));
  for (std::size_t i = first; i < end; ++i)
    out["items"].push_back(std::move(items[i]));
  out["next"] = end < items.size() ? document(cursor_at(end, filter)) : document(nullptr);
  return out;
}

} // namespace penstock::web
