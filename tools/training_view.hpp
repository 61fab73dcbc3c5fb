// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/node_client.hpp"
#include "base/clock.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace penstock::tools {

/// A bar of `width` characters, `[#####-----]`.
[[nodiscard]] std::string bar(double share, std::size_t width);

/// Turns what trainings report from moment to moment into lines: each step once, in order, also those that were over
/// before anybody looked. Pure: no terminal or clock inside; belongs to one thread.
class training_view {
public:
  static constexpr duration first_sign = std::chrono::seconds(2);
  static constexpr duration heartbeat = std::chrono::seconds(30);

  /// Whole lines that are new since the last call: steps begun, ended or passed over, restarts, reuse, results, and for
  /// a step that takes long a sign of life after 2 s and then every 30 s.
  /// @param signs  whether signs of life are wanted: not where `in_work` is drawn
  [[nodiscard]] std::vector<std::string> news(const std::vector<actors::training_info>& trainings, time_point now,
                                              bool signs = true);

  /// For a terminal: the line of each step in work, with bar and time left, to be drawn again and again.
  [[nodiscard]] std::vector<std::string> in_work(const std::vector<actors::training_info>& trainings,
                                                 time_point now) const;

  /// True when a training is still to end.
  [[nodiscard]] static bool busy(const std::vector<actors::training_info>& trainings);

private:
  struct seen {
    std::string state;
    std::uint32_t attempt = 0;
    int ended = 0; ///< steps whose end was told
    int begun = 0; ///< the step whose beginning was told
    time_point since{};
    time_point told{};
  };
  void tell_steps(std::vector<std::string>& out, const actors::training_info& what, seen& known, time_point now);
  void tell_sign(std::vector<std::string>& out, const actors::training_info& what, seen& known, time_point now);

  std::map<std::string, seen> seen_;
};

} // namespace penstock::tools
