// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/node_client.hpp"
#include "base/metric_registry.hpp"
#include "base/result.hpp"
#include "runtime/application.hpp"
#include "runtime/crash_journal.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>

namespace penstock::actors {

struct node_settings {
  std::string name = "local";    ///< of the node
  std::string cluster = "local"; ///< prefix of session ids and groups
  std::filesystem::path data;    ///< the node's data directory: log/, models/, crash-journal
  std::string log_url;           ///< empty: from the application, else `rocksdb:<data>/log`
  storage::log_options log;
  std::uint64_t incarnation = 1;  ///< of the process, from the keeper
  runtime::last_death last_death; ///< of the process before
  unsigned worker_threads = 2;    ///< of the actor system
  unsigned training_threads = 0;  ///< 0 = one per core
  /// Waits between two attempts to open the log; false = give up.
  std::function<bool(duration)> pause = [](duration limit) {
    std::this_thread::sleep_for(limit);
    return true;
  };
  /// Posts a body to a URL without blocking; empty = nobody is told of trainings.
  std::function<void(const std::string& url, const std::string& body)> webhook;
};

/// Whether the files that an application names can be read; `errc::not_found` and `permission` name the setting.
/// Changes nothing, so it comes first.
[[nodiscard]] status check_files(const runtime::application_spec& application);

/// A running node: log, actor system, and the supervision tree of one application (or of none).
///
///     node (one_for_one)
///     ├─ metrics, model-store, control
///     ├─ sources, trainers
///     └─ shards ─ shard i (rest_for_one): shard actor, then predictors
///
/// `start` opens everything and returns as soon as every actor runs; `wait` blocks until the node has failed (an
/// escalation reached the root) or `stop` was called from another thread. The destructor stops it.
class node {
public:
  /// @param application  may be empty (`penstock node` without work)
  /// @param metrics      outlives the node
  [[nodiscard]] static result<std::unique_ptr<node>> start(const node_settings& settings,
                                                           const std::optional<runtime::application_spec>& application,
                                                           metric_registry& metrics);
  ~node();

  [[nodiscard]] node_client& client();
  /// Blocks until the node ends by itself or at most `limit`: true when it has failed, `failure()` says why.
  [[nodiscard]] bool wait_failed(duration limit);
  [[nodiscard]] std::optional<error> failure() const;
  /// Orderly: sources stop, shards make a last commit, everything is closed; at most `limit`, then false (the caller
  /// `_exit`s: what is not committed is simply not there).
  [[nodiscard]] bool stop(duration limit);
  /// How the node was after the last commits of an orderly stop; none before.
  [[nodiscard]] const std::optional<node_info>& last_info() const;

private:
  struct content;
  explicit node(std::unique_ptr<content> c);
  std::unique_ptr<content> content_;
};

} // namespace penstock::actors
