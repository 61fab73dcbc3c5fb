// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/application.hpp"
#include "runtime/live_figures.hpp"
#include "tools/live_view.hpp"

#include <optional>

namespace penstock::tools {

/// What a node reports, as the sample that rates and stop conditions are made of.
[[nodiscard]] runtime::live_sample sample_of(const actors::node_info& node,
                                             const runtime::application_spec& application);

/// Looks at a run from moment to moment: measures its rate and decides when it ends by itself. Pure: `now` comes with
/// the call and must not go back. Belongs to one thread.
class run_watch {
public:
  /// @param start  when the command was given, over all restarts
  /// @param application  outlives the watch
  run_watch(const runtime::application_spec& application, time_point start)
      : application_(application), start_(start), figures_(application.stop_when, start) {}

  [[nodiscard]] run_figures look(const actors::node_info& node, time_point now);

  /// What of `stop_when` has fired by the last look; none while the run goes on.
  [[nodiscard]] std::optional<runtime::stop_reason> fired(time_point now) { return figures_.stop(now); }

private:
  const runtime::application_spec& application_;
  time_point start_;
  runtime::live_figures figures_;
};

} // namespace penstock::tools
