// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/node_client.hpp"
#include "base/clock.hpp"
#include "runtime/watchdog_policy.hpp"

#include <caf/actor.hpp>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace penstock::actors {

/// What is known of an actor address over all its incarnations. The atomics are written by the actor (and, for
/// `waiting`, by whoever sends to it) and read by anybody; the rest is behind the mutex.
class actor_record {
public:
  actor_record(std::string address, std::string kind, std::string parent, duration stuck_after);

  runtime::pulse pulse; ///< for the watchdog
  std::atomic<std::uint64_t> waiting{0};
  std::atomic<std::uint64_t> handled{0};
  std::atomic<std::int64_t> busy_ns{0};
  std::atomic<std::int64_t> last_progress_ns{0}; ///< steady clock

  [[nodiscard]] const std::string& address() const { return pulse.actor; }
  [[nodiscard]] const std::string& kind() const { return kind_; }
  [[nodiscard]] const std::string& parent() const { return parent_; }

  /// A new incarnation begins: counters start from zero.
  void born(caf::actor handle);
  /// The present incarnation ended. The cause is what `set_cause` said last, if anything.
  void gone(const std::string& state);
  void set_cause(const std::string& text);
  [[nodiscard]] std::string cause() const;
  /// Phase of its task, shown instead of `running`.
  void set_state(const std::string& state);
  void set_restarts(std::uint64_t restarts);

  [[nodiscard]] caf::actor handle() const;
  [[nodiscard]] std::uint64_t incarnation() const;
  [[nodiscard]] actor_info info(time_point now) const;
  void release_handle();

private:
  std::string kind_;
  std::string parent_;
  mutable std::mutex mutex_;
  caf::actor handle_;
  std::string state_ = "starting";
  std::string cause_;
  std::uint64_t incarnation_ = 0;
  std::uint64_t restarts_ = 0;
};

/// Every actor of the node by its address. An address stays the same over restarts. Thread-safe.
class actor_directory {
public:
  /// The record of an address, made when it is new.
  std::shared_ptr<actor_record> enrol(const std::string& address, const std::string& kind, const std::string& parent,
                                      duration stuck_after);
  [[nodiscard]] std::shared_ptr<actor_record> find(const std::string& address) const;
  /// The living incarnation; an empty handle when there is none now.
  [[nodiscard]] caf::actor handle(const std::string& address) const;
  [[nodiscard]] std::vector<std::shared_ptr<actor_record>> all() const;
  [[nodiscard]] std::vector<std::shared_ptr<actor_record>> of_kind(const std::string& kind) const;
  /// Lets go of all handles, so that the actor system can end.
  void release_handles();

private:
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<actor_record>> records_;
};

} // namespace penstock::actors
