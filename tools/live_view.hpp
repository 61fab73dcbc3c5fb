// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/node_client.hpp"
#include "base/clock.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace penstock::tools {

/// The figures of a node at one moment, summed over its shards: what the live view and the summary show.
struct run_figures {
  duration elapsed{};      ///< since the command was given, over all restarts
  double rate = 0;         ///< records a second, lately
  double average_rate = 0; ///< records a second, while there was something to do
  std::uint64_t lag = 0;   ///< input records that are not committed yet
  runtime::running_metrics metrics;
  std::uint64_t restarts = 0;         ///< of actors
  std::uint64_t process_restarts = 0; ///< of the runtime process
  duration commit_p50{}, commit_p99{};
  std::vector<actors::source_info> sources;
  std::vector<std::string> failures; ///< of shards and sources

  /// Sums up what a node reports; time and rates stay zero.
  [[nodiscard]] static run_figures of(const actors::node_info& node);
  /// Records that are done with: outputs and dead letters.
  [[nodiscard]] std::uint64_t processed() const { return metrics.records + metrics.dead_letters; }
};

/// One line for a log or a pipe.
[[nodiscard]] std::string plain_line(const run_figures& figures);

/// The lines of the live view, none longer than `width`.
[[nodiscard]] std::vector<std::string> view_lines(const std::string& application, const run_figures& figures,
                                                  std::size_t width);

/// The bytes that draw a block of lines over the last one; at most `height` − 2 of them. The cursor rests on the empty
/// first line of the block, so that a log line of another thread takes that line and pushes the block down instead of
/// tearing it.
[[nodiscard]] std::string redraw(const std::vector<std::string>& lines, std::size_t height);

/// The bytes that print `lines` for good where the block was; the block is away until it is drawn again.
[[nodiscard]] std::string print_above(const std::vector<std::string>& lines);

} // namespace penstock::tools
