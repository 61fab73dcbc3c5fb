// SPDX-License-Identifier: Apache-2.0
#include "storage/append_watch.hpp"

namespace penstock::storage {

void append_signal::raise_appended() {
  {
    std::lock_guard lock(mutex_);
    appended_ = true;
  }
  changed_.notify_all();
}

void append_signal::raise_woken() {
  {
    std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

void append_signal::clear_appended() {
  std::lock_guard lock(mutex_);
  appended_ = false;
}

bool append_signal::take_woken() {
  std::lock_guard lock(mutex_);
  return std::exchange(woken_, false);
}

append_signal::cause append_signal::wait_until(time_point deadline) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_until(lock, deadline, [this] { return appended_ || woken_; }))
    return cause::deadline;
  if (woken_) {
    woken_ = false;
    return cause::woken;
  }
  return cause::appended;
}

void append_watch::subscribe(const std::shared_ptr<append_signal>& who, const std::vector<partition_ref>& to) {
  std::lock_guard lock(mutex_);
  for (const auto& ref : to)
    waiting_.emplace(ref, who);
}

void append_watch::unsubscribe(const append_signal* who) {
  std::lock_guard lock(mutex_);
  std::erase_if(waiting_, [who](const auto& entry) { return entry.second.get() == who; });
}

void append_watch::appended(partition_ref to) {
  std::lock_guard lock(mutex_);
  auto [first, last] = waiting_.equal_range(to);
  for (; first != last; ++first)
    first->second->raise_appended();
}

void append_watch::all_changed() {
  std::lock_guard lock(mutex_);
  for (auto& [ref, signal] : waiting_)
    signal->raise_appended();
}

} // namespace penstock::storage
