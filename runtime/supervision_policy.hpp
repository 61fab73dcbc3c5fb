// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.hpp"
#include "base/units.hpp"

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace penstock::runtime {

/// As in Erlang/OTP's supervisor.
enum class restart_type : std::uint8_t {
  permanent, ///< always restarted
  transient, ///< restarted unless it ended normally
  temporary, ///< never restarted
};

enum class strategy : std::uint8_t {
  one_for_one,  ///< only the child that ended
  rest_for_one, ///< it, and those started after it
  one_for_all,  ///< all
};

struct child_spec {
  std::string id; ///< actor address, `house-prices/predictor/3`
  restart_type restart = restart_type::permanent;
  duration stop_timeout = std::chrono::seconds{5};
};

/// No delay for the first restart, then `initial` × `multiplier`ⁿ up to `max`, ± `jitter` of it; from the start again
/// when a child has lived for `reset_after`.
struct backoff_spec {
  duration initial = std::chrono::milliseconds{10};
  duration max = std::chrono::seconds{5};
  double multiplier = 2;
  double jitter = 0.1;
  duration reset_after = std::chrono::seconds{30};
};

struct supervisor_spec {
  std::string id;
  enum strategy strategy = strategy::one_for_one;
  std::uint32_t intensity = 5;                ///< more restarts than this
  duration within = std::chrono::seconds{10}; ///< in this time escalate
  backoff_spec backoff;
};

enum class exit_kind : std::uint8_t { normal, failure };

/// What the supervisor must do, in this order.
struct supervision_action {
  enum class kind : std::uint8_t {
    stop,     ///< end this child (it is the one meant by rest_for_one / one_for_all), last started first
    start,    ///< start this child after `delay`; in specification order
    forget,   ///< the child has ended for good
    escalate, ///< intensity exceeded: end all children, then end with an error that carries `reason`
  };
  kind what;
  std::string child; ///< empty for `escalate`
  duration delay{};
  std::string reason;
  bool operator==(const supervision_action&) const = default;
};

/// Decides what happens when a child ends. Specs are data; the decision is pure: no actor, clock or randomness inside
/// (the jitter comes from a counter-based hash of child and restart). Belongs to one supervisor. Nothing survives a
/// crash.
class supervision_policy {
public:
  explicit supervision_policy(supervisor_spec spec);

  /// Declares a child, after those declared before. The caller starts it.
  void add(child_spec child, time_point now);
  /// A child that ended by request; it is no longer known afterwards.
  void remove(const std::string& child);
  [[nodiscard]] std::vector<supervision_action> exited(const std::string& child, exit_kind how,
                                                       const std::string& reason, time_point now);
  /// A restart that the supervisor was asked for (stuck child, admin command): like a failure, but never escalates and
  /// does not use up intensity.
  [[nodiscard]] std::vector<supervision_action> restart_requested(const std::string& child, const std::string& reason,
                                                                  time_point now);

  /// What people see of a child.
  struct child_state {
    child_spec spec;
    std::uint64_t incarnation = 1;
    std::uint64_t restarts = 0;
    std::string last_cause;
    time_point started{};
  };
  [[nodiscard]] const std::vector<child_state>& children() const { return children_; }
  [[nodiscard]] const child_state* find(const std::string& child) const;
  [[nodiscard]] const supervisor_spec& spec() const { return spec_; }

private:
  [[nodiscard]] duration next_delay(const child_state& child, time_point now);
  [[nodiscard]] std::vector<supervision_action> restart(std::size_t index, const std::string& reason,
                                                        bool already_ended, time_point now);

  supervisor_spec spec_;
  std::vector<child_state> children_;
  std::deque<time_point> restarts_; ///< within the intensity window
};

} // namespace penstock::runtime
