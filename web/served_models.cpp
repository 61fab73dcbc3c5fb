// SPDX-License-Identifier: Apache-2.0
#include "web/served_models.hpp"

#include "base/logging.hpp"
#include "base/spelling.hpp"

namespace penstock::web {

namespace {

constexpr const char* serving_alias = "champion";
constexpr auto ask_limit = std::chrono::seconds(1);

} // namespace

result<served_models::model> served_models::find(const std::string& name) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(name);
    if (found != entries_.end() && found->second.kept &&
        (found->second.asking || time_.now() - found->second.asked < fresh))
      return found->second.kept;
    if (found != entries_.end())
      found->second.asking = true;
  }
  auto given = client_.model(name, serving_alias, ask_limit);
  if (!given && given.error().code() == errc::not_found && !kept(name))
    return with_nearest(name, given.error());
  const std::lock_guard lock(mutex_);
  if (given) {
    entries_[name] = {*given, time_.now(), false};
    return given;
  }
  const auto found = entries_.find(name);
  if (found == entries_.end())
    return given.error();
  found->second.asking = false;
  found->second.asked = time_.now();
  logging::warning("model.fallback", "the node gives no model; serving the last verified one: " + given.error().text(),
                   {{"model", name}, {"version", std::to_string(found->second.kept->version)}});
  return found->second.kept;
}

bool served_models::kept(const std::string& name) {
  const std::lock_guard lock(mutex_);
  return entries_.contains(name);
}

std::vector<std::string> served_models::names() {
  std::vector<std::string> out;
  if (const auto registry = client_.registry(ask_limit)) {
    for (const auto& [name, versions] : registry->models())
      out.push_back(name);
    return out;
  }
  const std::lock_guard lock(mutex_);
  for (const auto& [name, kept] : entries_)
    out.push_back(name);
  return out;
}

error served_models::with_nearest(const std::string& name, const error& why) {
  std::vector<std::string> known;
  if (const auto registry = client_.registry(ask_limit))
    for (const auto& [each, versions] : registry->models())
      known.push_back(each);
  const auto near = nearest(name, known);
  return {errc::not_found, why.text() + (near ? ", did you mean \"" + *near + "\"?" : "")};
}

} // namespace penstock::web
