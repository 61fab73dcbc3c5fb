// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/node.hpp"
#include "actors/node_metrics.hpp"
#include "actors/supervisor.hpp"
#include "storage/model_files.hpp"

#include <map>
#include <string>
#include <vector>

namespace penstock::actors {

/// Addresses of the actors that a node has once.
namespace address {
inline const std::string root = "node/supervisor/root";
inline const std::string metrics = "node/metrics/0";
inline const std::string model_store = "node/model-store/0";
inline const std::string control = "node/control/0";
} // namespace address

/// How shards and sources were when they ended in an orderly way: after the last commit. Thread-safe.
class last_words {
public:
  void say(const shard_info& how) {
    std::lock_guard lock{mutex_};
    shards_[how.name] = how;
  }
  void say(const source_info& how) {
    std::lock_guard lock{mutex_};
    sources_[how.name] = how;
  }
  /// Puts them in the place of what was known before.
  void replace_in(node_info& info) const;

private:
  mutable std::mutex mutex_;
  std::map<std::string, shard_info> shards_;
  std::map<std::string, source_info> sources_;
};

/// What the actors of a node stand on. Outlives the actor system.
struct node_ground {
  node_settings settings;
  std::optional<runtime::application_spec> application;
  std::string log_url;
  std::unique_ptr<storage::log> log;
  std::optional<storage::model_files> models;
  std::unique_ptr<runtime::crash_journal> journal;
  std::vector<runtime::crash_journal::entry> suspects;
  std::unique_ptr<node_metrics> metrics;
  actor_directory directory;
  class last_words last_words;
  std::atomic<bool> log_lost{false};
  std::atomic<std::uint64_t> restarts{0};
};

/// Declares the supervision tree of a node; children of the root, in the order in which they start:
///
///     root ─ metrics, model-store, control, trainers, sources, shards ─ shard i (rest_for_one) ─ shard, predictors
///
/// Restart intensities grow smaller upwards, so that a child which can never work takes the whole process down within
/// seconds and not within the product of all windows.
[[nodiscard]] std::vector<child> node_children(caf::actor_system& system, node_ground& ground);

/// How the root supervises.
[[nodiscard]] runtime::supervisor_spec root_spec();

/// What supervisors of this node share.
[[nodiscard]] supervision shared_supervision(node_ground& ground);

} // namespace penstock::actors
