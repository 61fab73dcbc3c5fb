// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/node_client.hpp"
#include "base/clock.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace penstock::web {

/// The models that answer predictions. Keeps the last verified model of each name, so that serving goes on while the
/// node's model store or control tables fail, and so that a slow node costs one caller its time limit, not all of them.
/// Thread-safe; memory: one model per name.
class served_models {
public:
  using model = std::shared_ptr<const runtime::serving_model>;
  static constexpr duration fresh = std::chrono::milliseconds(500);

  /// @param time  outlives this
  served_models(actors::node_client& client, const clock& time) : client_(client), time_(time) {}

  /// The model that serves under a name (alias `champion`). Asks the node when the kept one is older than `fresh`, one
  /// caller at a time; the others get the kept one meanwhile. `errc::not_found` (with the nearest name), or why the
  /// node cannot give a model that was never served here.
  [[nodiscard]] result<model> find(const std::string& name);

  /// Names of the models that can be asked for, of the registry or, when it does not answer, those kept here.
  [[nodiscard]] std::vector<std::string> names();

private:
  struct entry {
    model kept;
    time_point asked{};
    bool asking = false;
  };
  [[nodiscard]] bool kept(const std::string& name);
  [[nodiscard]] error with_nearest(const std::string& name, const error& why);

  actors::node_client& client_;
  const clock& time_;
  std::mutex mutex_;
  std::map<std::string, entry> entries_; ///< only of names that were served: a client cannot make it grow
};

} // namespace penstock::web
