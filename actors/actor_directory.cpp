// SPDX-License-Identifier: Apache-2.0
#include "actors/actor_directory.hpp"

#include <caf/all.hpp>

namespace penstock::actors {

namespace {

std::int64_t nanoseconds(time_point at) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count();
}

} // namespace

// -- actor_record --------------------------------------------------------------

actor_record::actor_record(std::string address, std::string kind, std::string parent, duration stuck_after)
    : kind_(std::move(kind)), parent_(std::move(parent)) {
  pulse.actor = std::move(address);
  pulse.limit = stuck_after;
}

void actor_record::born(caf::actor handle) {
  std::lock_guard lock{mutex_};
  handle_ = std::move(handle);
  ++incarnation_;
  state_ = "running";
  handled = 0;
  busy_ns = 0;
  last_progress_ns = nanoseconds(std::chrono::steady_clock::now());
}

void actor_record::gone(const std::string& state) {
  std::lock_guard lock{mutex_};
  handle_ = nullptr;
  state_ = state;
  waiting = 0;
  pulse.busy_since = 0;
}

void actor_record::set_cause(const std::string& text) {
  std::lock_guard lock{mutex_};
  cause_ = text;
}

std::string actor_record::cause() const {
  std::lock_guard lock{mutex_};
  return cause_;
}

void actor_record::set_state(const std::string& state) {
  std::lock_guard lock{mutex_};
  state_ = state;
}

void actor_record::set_restarts(std::uint64_t restarts) {
  std::lock_guard lock{mutex_};
  restarts_ = restarts;
}

caf::actor actor_record::handle() const {
  std::lock_guard lock{mutex_};
  return handle_;
}

std::uint64_t actor_record::incarnation() const {
  std::lock_guard lock{mutex_};
  return incarnation_;
}

void actor_record::release_handle() {
  std::lock_guard lock{mutex_};
  handle_ = nullptr;
}

actor_info actor_record::info(time_point now) const {
  actor_info out;
  out.address = address();
  out.kind = kind_;
  out.parent = parent_;
  out.mailbox = waiting;
  out.handled = handled;
  out.busy = duration{busy_ns};
  out.since_progress = duration{nanoseconds(now) - last_progress_ns};
  const auto busy_since = pulse.busy_since.load();
  if (out.mailbox > 0 && busy_since > 0)
    out.oldest = duration{nanoseconds(now) - busy_since};
  std::lock_guard lock{mutex_};
  out.state = state_;
  out.incarnation = incarnation_;
  out.restarts = restarts_;
  out.last_cause = cause_;
  return out;
}

// -- actor_directory -----------------------------------------------------------

std::shared_ptr<actor_record> actor_directory::enrol(const std::string& address, const std::string& kind,
                                                     const std::string& parent, duration stuck_after) {
  std::lock_guard lock{mutex_};
  auto& slot = records_[address];
  if (!slot)
    slot = std::make_shared<actor_record>(address, kind, parent, stuck_after);
  return slot;
}

std::shared_ptr<actor_record> actor_directory::find(const std::string& address) const {
  std::lock_guard lock{mutex_};
  const auto it = records_.find(address);
  return it == records_.end() ? nullptr : it->second;
}

caf::actor actor_directory::handle(const std::string& address) const {
  const auto record = find(address);
  return record ? record->handle() : caf::actor{};
}

std::vector<std::shared_ptr<actor_record>> actor_directory::all() const {
  std::lock_guard lock{mutex_};
  std::vector<std::shared_ptr<actor_record>> out;
  out.reserve(records_.size());
  for (const auto& [address, record] : records_)
    out.push_back(record);
  return out;
}

std::vector<std::shared_ptr<actor_record>> actor_directory::of_kind(const std::string& kind) const {
  auto out = all();
  std::erase_if(out, [&](const auto& record) { return record->kind() != kind; });
  return out;
}

void actor_directory::release_handles() {
  for (const auto& record : all())
    record->release_handle();
}

} // namespace penstock::actors
