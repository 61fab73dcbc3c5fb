// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

namespace penstock::keeper {

using time_point = std::chrono::steady_clock::time_point;
using duration = std::chrono::nanoseconds;

/// The runtime says so when its watchdog found a thread stuck on a record: the record is suspect, restart me.
constexpr int watchdog_exit_code = 86;

/// How the child ended.
struct death {
  enum class kind : std::uint8_t {
    none,   ///< it has not died yet
    exited, ///< `value` is the exit code
    killed, ///< `value` is the signal's number
    oom,    ///< killed by the kernel because memory ran out
  };
  kind how = kind::none;
  int value = 0;
  bool operator==(const death&) const = default;
};

/// `none`, `exit:CODE`, `watchdog` (exit code 86), `signal:NUMBER`, `oom`: the child's `PENSTOCK_LAST_DEATH`.
[[nodiscard]] std::string name_of(const death& last);

/// What the user may set; the defaults are the shipped ones.
struct restart_limits {
  int intensity = 5;                          ///< restarts after hard deaths allowed …
  duration within = std::chrono::seconds(10); ///< … in this time
  duration backoff_initial = std::chrono::milliseconds(100);
  duration backoff_max = std::chrono::seconds(10);
  duration backoff_reset = std::chrono::seconds(30);    ///< a child that lived so long starts anew without backoff
  int suspect_intensity = 60;                           ///< restarts after suspect deaths allowed …
  duration suspect_within = std::chrono::seconds(60);   ///< … in this time
  duration short_life = std::chrono::milliseconds(100); ///< a child killed sooner did not come up
};

/// What the keeper does about a death.
struct verdict {
  enum class kind : std::uint8_t {
    stop,    ///< end with `exit_code`
    restart, ///< start the child again after `delay`
    give_up, ///< `restarts` within `period` did not help: end with exit code 1
  };
  kind what = kind::stop;
  int exit_code = 0;
  duration delay{};
  int restarts = 0;
  duration period{};
  bool operator==(const verdict&) const = default;
};

/// Decides whether and when a dead runtime process is started again, as an Erlang/OTP supervisor does: by intensity
/// (restarts in a period) with backoff, but by what the death says about the next life.
///
/// | death | reaction |
/// |---|---|
/// | exit 0 | stop |
/// | exit 2 3 4 5 69 77 78, 126 127 (cannot be run), 130 143 | stop with the same code: a restart cannot help |
/// | exit 75 | restart with backoff, for ever: it asked for that |
/// | exit 86, oom, SIGSEGV SIGBUS SIGILL SIGFPE SIGABRT | suspect: restart at once (after `backoff_initial` if it was
/// short-lived); limit `suspect_intensity`, because the runtime condemns the guilty record after two deaths | | SIGKILL
/// | somebody's hand: restart at once without counting; hard if it was short-lived | | any other | hard: the first
/// restart at once, then backoff; limit `intensity` |
///
/// Pure decision: no process, clock or signal inside; `now` comes with every call and must not go back. Not
/// thread-safe. Nothing survives a crash of the keeper.
class restart_policy {
public:
  explicit restart_policy(const restart_limits& limits);

  /// The child was started.
  void started(time_point now);
  /// The child died; once per `started`.
  [[nodiscard]] verdict died(const death& how, time_point now);

private:
  [[nodiscard]] verdict hard(time_point now);
  [[nodiscard]] verdict suspect(time_point now, bool short_lived);
  [[nodiscard]] duration next_backoff();

  restart_limits limits_;
  time_point started_{};
  int backoffs_ = 0; ///< restarts since the last without delay
  std::deque<time_point> hard_restarts_;
  std::deque<time_point> suspect_restarts_;
};

} // namespace penstock::keeper
