// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.hpp"
#include "storage/topic_table.hpp"

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace penstock::storage {

/// What one reader sleeps on. Thread-safe.
class append_signal {
public:
  enum class cause : std::uint8_t { appended, woken, deadline };

  void raise_appended();
  void raise_woken();
  /// Forgets earlier appends: call before looking for records, so that one that comes after the look is not slept over.
  void clear_appended();
  /// Forgets an earlier wake; true when there was one.
  bool take_woken();
  /// Waits for either, or the deadline. A wake is used up by being reported.
  [[nodiscard]] cause wait_until(time_point deadline);

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool appended_ = false;
  bool woken_ = false;
};

/// Which readers sleep on which partitions. Thread-safe.
class append_watch {
public:
  void subscribe(const std::shared_ptr<append_signal>& who, const std::vector<partition_ref>& to);
  void unsubscribe(const append_signal* who);
  void appended(partition_ref to);
  /// Everybody looks again: a topic is gone or the log is broken.
  void all_changed();

private:
  std::mutex mutex_;
  std::multimap<partition_ref, std::shared_ptr<append_signal>> waiting_;
};

} // namespace penstock::storage
