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
    stop,     ///< end this child, last started first; one that waits for its start is not started any more
    start,    ///< start this child `delay` after the decision, once every `stop` before it is done; specification order
    forget,   ///< the child has ended for good
    escalate, ///< intensity exceeded: end all children, then end with an error that carries `reason`
  };
  kind what;
  std::string child; ///< empty for `escalate`
  duration delay{};
  std::string reason; ///< why, for people
  bool operator==(const supervision_action&) const = default;
};

/// Decides what happens when a child ends. Specs are data; the decision is pure: no actor, clock or randomness inside
/// (the jitter comes from a counter-based hash of child and restart). Belongs to one supervisor. Nothing survives a
/// crash.
///
///     running ──failed, or stopped for another──▶ waiting (its delay) ──▶ running, incarnation + 1
///        └── ended for good ──▶ forgotten         too many restarts: escalated, and nothing is decided any more
///
/// Intensity counts failures, as OTP does: one restart of a whole group is one. A temporary child that is stopped for
/// another is forgotten.
class supervision_policy {
public:
  explicit supervision_policy(supervisor_spec spec);

  // -- events -----------------------------------------------------------------

  /// Declares a child, after those declared before. The caller starts it.
  void add(child_spec child, time_point now);
  /// A child that ended by request; it is no longer known afterwards.
  void remove(const std::string& child);
  /// @param incarnation  which life of the child ended. The end of an earlier one changes nothing: that is how a child
  ///                     that was stopped for another, or died by itself meanwhile, is told apart. 0 means the present
  ///                     one, for a caller that does not report the ends it asked for.
  [[nodiscard]] std::vector<supervision_action> exited(const std::string& child, exit_kind how,
                                                       const std::string& reason, time_point now,
                                                       std::uint64_t incarnation = 0);
  /// A restart that the supervisor was asked for (stuck child, admin command): like a failure, but never escalates and
  /// does not use up intensity. Nothing for an unknown or temporary child, or one that waits for its start already.
  [[nodiscard]] std::vector<supervision_action> restart_requested(const std::string& child, const std::string& reason,
                                                                  time_point now);

  // -- seen from outside ------------------------------------------------------

  /// What people see of a child.
  struct child_state {
    child_spec spec;
    std::uint64_t incarnation = 1; ///< grows by one with each `start`, already when it is decided
    std::uint64_t restarts = 0;    ///< `start`s so far
    std::string last_cause;        ///< of the last restart; names the child it was stopped for
    time_point started{};          ///< of this incarnation; in the future while it waits for its delay
    std::uint32_t failures = 0;    ///< in a row, without a life of `reset_after`
  };
  [[nodiscard]] const std::vector<child_state>& children() const { return children_; }
  /// None when there is no such child.
  [[nodiscard]] const child_state* find(const std::string& child) const;
  [[nodiscard]] const supervisor_spec& spec() const { return spec_; }
  [[nodiscard]] bool escalated() const { return escalated_; }

private:
  [[nodiscard]] duration next_delay(child_state& child, time_point now) const;
  [[nodiscard]] bool in_group(std::size_t index, std::size_t failed) const;
  [[nodiscard]] std::vector<supervision_action> restart(std::size_t index, const std::string& reason,
                                                        bool already_ended, time_point now);

  supervisor_spec spec_;
  std::vector<child_state> children_; ///< in the order of specification
  std::deque<time_point> restarts_;   ///< within the intensity window
  bool escalated_ = false;
};

} // namespace penstock::runtime
