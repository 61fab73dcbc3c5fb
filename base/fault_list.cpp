// SPDX-License-Identifier: Apache-2.0
#include "base/fault_list.hpp"

#include <charconv>

namespace penstock {

namespace {

std::string_view take_item(std::string_view& rest) {
  const auto comma = rest.find(',');
  const auto item = rest.substr(0, comma);
  rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
  return item;
}

} // namespace

fault_list::fault_list(std::string_view text) {
  while (!text.empty()) {
    const auto item = take_item(text);
    const auto mark = item.find_first_of("=@");
    if (mark == 0 || item.empty())
      continue;
    auto& added = entries_.emplace_back();
    added.name = item.substr(0, mark);
    if (mark == std::string_view::npos)
      continue;
    const auto value = item.substr(mark + 1);
    if (item[mark] == '=')
      added.argument = value;
    else
      std::from_chars(value.data(), value.data() + value.size(), added.only);
  }
}

bool fault_list::pass(std::string_view name) {
  bool on = false;
  for (auto& one : entries_) {
    if (one.name != name)
      continue;
    const auto count = one.passes.fetch_add(1, std::memory_order_relaxed) + 1;
    on = on || one.only == 0 || one.only == count;
  }
  return on;
}

std::string_view fault_list::argument(std::string_view name) const {
  for (const auto& one : entries_)
    if (one.name == name && !one.argument.empty())
      return one.argument;
  return {};
}

} // namespace penstock
