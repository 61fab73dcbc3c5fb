// SPDX-License-Identifier: Apache-2.0
#include "runtime/control_tables.hpp"

#include <algorithm>
#include <charconv>

namespace penstock::runtime {

namespace {

template <class Versions>
auto* version_of(Versions& versions, std::uint64_t number) {
  const auto at = std::ranges::find(versions, number, &registry_table::version::number);
  return at == versions.end() ? nullptr : &*at;
}

} // namespace

void registry_table::apply(std::int64_t offset, const control_record& command) {
  if (offset <= applied_)
    return;
  applied_ = offset;
  if (const auto* registered = std::get_if<model_registered>(&command))
    add_version(*registered);
  else if (const auto* alias = std::get_if<alias_set>(&command))
    set_alias(*alias);
  else if (const auto* activated = std::get_if<generation_activated>(&command))
    activate(*activated);
}

void registry_table::add_version(const model_registered& command) {
  auto& target = models_[command.name];
  target.name = command.name;
  auto& versions = target.versions;
  const auto at = std::ranges::lower_bound(versions, command.version, {}, &version::number);
  if (at == versions.end() || at->number != command.version)
    versions.insert(at, {command.version, command.digest, command.run, command.metrics, command.at});
}

void registry_table::set_alias(const alias_set& command) {
  const auto target = models_.find(command.name);
  if (target != models_.end() && version_of(target->second.versions, command.version) != nullptr)
    target->second.aliases[command.alias] = command.version;
}

void registry_table::activate(const generation_activated& command) {
  auto& present = serving_[command.stream];
  if (command.generation > present.generation)
    present = {command.generation, command.model, command.version};
}

const registry_table::model* registry_table::find(const std::string& name) const {
  const auto at = models_.find(name);
  return at == models_.end() ? nullptr : &at->second;
}

const registry_table::version* registry_table::find(const std::string& name, const std::string& alias) const {
  const auto* wanted = find(name);
  if (wanted == nullptr || wanted->versions.empty())
    return nullptr;
  if (alias == "latest")
    return &wanted->versions.back();
  if (const auto at = wanted->aliases.find(alias); at != wanted->aliases.end())
    return version_of(wanted->versions, at->second);
  std::uint64_t number = 0;
  const auto* end = alias.data() + alias.size();
  const auto parsed = std::from_chars(alias.data(), end, number);
  return parsed.ec == std::errc() && parsed.ptr == end ? version_of(wanted->versions, number) : nullptr;
}

std::optional<registry_table::serving> registry_table::serving_of(const std::string& stream) const {
  const auto at = serving_.find(stream);
  return at == serving_.end() ? std::nullopt : std::optional(at->second);
}

std::uint64_t registry_table::next_version(const std::string& name) const {
  const auto* known = find(name);
  return known == nullptr || known->versions.empty() ? 1 : known->versions.back().number + 1;
}

} // namespace penstock::runtime
