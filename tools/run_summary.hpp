// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/application.hpp"
#include "tools/live_view.hpp"
#include "tools/output_format.hpp"

#include <string>
#include <vector>

namespace penstock::tools {

/// How a run ended.
struct run_end {
  std::string reason;        ///< `records: 4128`, `SIGINT`, what `stop_when` or the failure says
  bool stopped_when = false; ///< by stop_when
  run_figures figures;
  actors::node_info node;
  std::filesystem::path data;
  std::string log_url;
  std::string http_url;
};

/// The summary as one JSON object: names with their units, durations in seconds.
[[nodiscard]] document summary_json(const runtime::application_spec& application, const run_end& end);

/// The summary for people, with the commands to look further.
[[nodiscard]] std::string summary_text(const runtime::application_spec& application, const run_end& end);

/// The commands to look further: they work after the run, on the directory that it has left behind.
[[nodiscard]] std::vector<std::string> further_commands(const runtime::application_spec& application,
                                                        const run_end& end);

} // namespace penstock::tools
