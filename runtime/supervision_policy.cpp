// SPDX-License-Identifier: Apache-2.0
#include "runtime/supervision_policy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <string_view>
#include <utility>

namespace penstock::runtime {

namespace {

using kind = supervision_action::kind;

/// A number in [0, 1) that depends on nothing but the child and its restart: FNV-1a of the name, then the finaliser of
/// SplitMix64 (Steele, Lea, Flood 2014).
double even_share(std::string_view child, std::uint64_t restart) {
  std::uint64_t mixed = 14695981039346656037U;
  for (const char c : child)
    mixed = (mixed ^ static_cast<unsigned char>(c)) * 1099511628211U;
  mixed += (restart + 1) * 0x9e3779b97f4a7c15U;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
  mixed ^= mixed >> 31;
  return static_cast<double>(mixed >> 11) * 0x1.0p-53;
}

bool must_restart(restart_type type, exit_kind how) {
  return type == restart_type::permanent || (type == restart_type::transient && how == exit_kind::failure);
}

} // namespace

supervision_policy::supervision_policy(supervisor_spec spec) : spec_(std::move(spec)) {}

void supervision_policy::add(child_spec child, time_point now) {
  child_state added;
  added.spec = std::move(child);
  added.started = now;
  children_.push_back(std::move(added));
}

void supervision_policy::remove(const std::string& child) {
  std::erase_if(children_, [&](const child_state& c) { return c.spec.id == child; });
}

const supervision_policy::child_state* supervision_policy::find(const std::string& child) const {
  const auto at = std::ranges::find(children_, child, [](const child_state& c) -> auto& { return c.spec.id; });
  return at == children_.end() ? nullptr : &*at;
}

std::vector<supervision_action> supervision_policy::exited(const std::string& child, exit_kind how,
                                                           const std::string& reason, time_point now,
                                                           std::uint64_t incarnation) {
  const auto* ended = find(child);
  if (escalated_ || ended == nullptr)
    return {};
  const bool stale = incarnation == 0 ? now < ended->started : incarnation != ended->incarnation;
  if (stale)
    return {};
  if (!must_restart(ended->spec.restart, how)) {
    const std::string id = child; // the caller's name may be the one that goes
    remove(id);
    return {{kind::forget, id, {}, reason}};
  }

  std::erase_if(restarts_, [&](time_point at) { return at + spec_.within < now; });
  restarts_.push_back(now);
  if (restarts_.size() > spec_.intensity) {
    escalated_ = true;
    return {{kind::escalate,
             {},
             {},
             fmt::format("{}: {} failures within {} are more than the {} allowed; the last was {}: {}", spec_.id,
                         restarts_.size(), format_duration(spec_.within), spec_.intensity, child, reason)}};
  }
  return restart(static_cast<std::size_t>(ended - children_.data()), reason, true, now);
}

std::vector<supervision_action> supervision_policy::restart_requested(const std::string& child,
                                                                      const std::string& reason, time_point now) {
  const auto* wanted = find(child);
  if (escalated_ || wanted == nullptr || wanted->spec.restart == restart_type::temporary || now < wanted->started)
    return {};
  return restart(static_cast<std::size_t>(wanted - children_.data()), reason, false, now);
}

duration supervision_policy::next_delay(child_state& child, time_point now) const {
  const auto& backoff = spec_.backoff;
  if (now - child.started >= backoff.reset_after)
    child.failures = 0;
  const auto before = child.failures++;
  if (before == 0)
    return duration::zero();
  // The power overflows to infinity, never to a small number, and the minimum catches it.
  const auto grown = static_cast<double>(backoff.initial.count()) * std::pow(backoff.multiplier, before - 1.0);
  const auto bounded = std::min(grown, static_cast<double>(backoff.max.count()));
  const auto swing = backoff.jitter * (2 * even_share(child.spec.id, child.restarts) - 1);
  return duration(std::max<std::int64_t>(0, std::llround(bounded * (1 + swing))));
}

bool supervision_policy::in_group(std::size_t index, std::size_t failed) const {
  switch (spec_.strategy) {
  case strategy::one_for_one:
    return index == failed;
  case strategy::rest_for_one:
    return index >= failed;
  case strategy::one_for_all:
    return true;
  }
  return false;
}

std::vector<supervision_action> supervision_policy::restart(std::size_t index, const std::string& reason,
                                                            bool already_ended, time_point now) {
  const auto cause = children_[index].spec.id;
  const auto delay = next_delay(children_[index], now);
  const auto with_it = fmt::format("stopped for {}: {}", cause, reason);
  const auto reason_of = [&](const child_state& c) -> const std::string& {
    return c.spec.id == cause ? reason : with_it;
  };

  std::vector<supervision_action> actions;
  for (auto i = children_.size(); i-- > 0;)
    if (in_group(i, index) && !(i == index && already_ended))
      actions.push_back({kind::stop, children_[i].spec.id, {}, reason_of(children_[i])});

  std::vector<supervision_action> starts;
  for (std::size_t i = 0; i < children_.size(); ++i) {
    auto& child = children_[i];
    if (!in_group(i, index))
      continue;
    if (child.spec.restart == restart_type::temporary) {
      actions.push_back({kind::forget, child.spec.id, {}, with_it});
      continue;
    }
    ++child.incarnation;
    ++child.restarts;
    child.last_cause = reason_of(child);
    child.started = now + delay;
    starts.push_back({kind::start, child.spec.id, delay, child.last_cause});
  }
  for (const auto& action : actions)
    if (action.what == kind::forget)
      remove(action.child);
  std::ranges::move(starts, std::back_inserter(actions));
  return actions;
}

} // namespace penstock::runtime
