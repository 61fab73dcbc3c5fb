// SPDX-License-Identifier: Apache-2.0
#include "web/router.hpp"

#include "web/error_response.hpp"

#include <fmt/format.h>

#include <set>
#include <string_view>

namespace penstock::web {

namespace {

using captures = std::map<std::string, std::string>;

/// `{name}suffix` against one segment.
bool fits(std::string_view pattern, const std::string& segment, captures& captured) {
  if (pattern.empty() || pattern.front() != '{')
    return pattern == segment;
  const auto close = pattern.find('}');
  const auto suffix = pattern.substr(close + 1);
  if (segment.size() <= suffix.size() || !segment.ends_with(suffix))
    return false;
  auto part = segment.substr(0, segment.size() - suffix.size());
  if (part.find(':') != std::string::npos)
    return false;
  captured[std::string(pattern.substr(1, close - 1))] = std::move(part);
  return true;
}

std::string joined(const std::vector<std::string>& segments, std::size_t from) {
  std::string out;
  for (std::size_t i = from; i < segments.size(); ++i)
    out += (i == from ? "" : "/") + segments[i];
  return out;
}

bool fits(const std::vector<std::string>& pattern, const std::vector<std::string>& segments, captures& captured) {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (i >= segments.size())
      return false;
    if (pattern[i].ends_with("...}")) {
      auto rest = joined(segments, i);
      const bool some = !rest.empty();
      captured[pattern[i].substr(1, pattern[i].size() - 5)] = std::move(rest);
      return some;
    }
    if (!fits(pattern[i], segments[i], captured))
      return false;
  }
  return pattern.size() == segments.size();
}

std::vector<std::string> segments_of(std::string_view pattern) {
  std::vector<std::string> out;
  pattern.remove_prefix(1);
  while (true) {
    const auto slash = pattern.find('/');
    out.emplace_back(pattern.substr(0, slash));
    if (slash == std::string_view::npos)
      return out;
    pattern.remove_prefix(slash + 1);
  }
}

} // namespace

void router::add(std::string method, const std::string& pattern, handler run, runs where) {
  routes_.push_back({std::move(method), pattern, segments_of(pattern), std::move(run), where});
}

router::found router::find(http_request& request) const {
  std::set<std::string> allowed;
  for (const auto& each : routes_) {
    captures captured;
    if (!fits(each.segments, request.target.segments, captured))
      continue;
    if (each.method == request.method) {
      request.captured = std::move(captured);
      return {&each.run, each.where, each.pattern, {}};
    }
    allowed.insert(each.method);
    if (each.method == "GET")
      allowed.insert("HEAD");
  }
  const auto area = area_of(request.target);
  if (allowed.empty())
    return {nullptr, runs::at_once, "", error_response(area, 404, "there is nothing at this path")};
  std::string allow;
  for (const auto& method : allowed)
    allow += (allow.empty() ? "" : ", ") + method;
  auto refusal = error_response(area, 405, fmt::format("{} is not possible here; use {}", request.method, allow));
  refusal.headers.emplace_back("Allow", allow);
  return {nullptr, runs::at_once, "", std::move(refusal)};
}

} // namespace penstock::web
