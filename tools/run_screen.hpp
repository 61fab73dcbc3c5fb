// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tools/console.hpp"
#include "tools/live_view.hpp"
#include "tools/training_view.hpp"

#include <optional>
#include <string>

namespace penstock::tools {

/// Shows a run: drawn in place on a terminal, otherwise as lines, every 2 s in the first 20 s and then every 10 s.
/// Belongs to one thread.
class run_screen {
public:
  /// @param to_out  on standard output; otherwise on standard error
  run_screen(console& to, std::string application, bool to_out);

  void begin(const std::string& http_url, std::uint64_t incarnation);
  void show(const actors::node_info& node, const run_figures& figures, time_point now);
  /// Leaves the last figures standing.
  void finish();

private:
  void print(const std::string& text);
  void show_lines(const run_figures& figures, bool streaming, time_point now);

  console& to_;
  std::string application_;
  bool to_out_;
  bool terminal_;
  training_view trainings_;
  std::vector<std::string> block_; ///< drawn last
  std::optional<time_point> first_line_;
  std::optional<time_point> last_print_;
  std::string last_text_;
};

} // namespace penstock::tools
