// SPDX-License-Identifier: Apache-2.0
#include "keeper/restart_policy.hpp"

#include <algorithm>
#include <csignal>

namespace penstock::keeper {

namespace {

bool is_final(int exit_code) {
  switch (exit_code) {
  case 0:   // done
  case 2:   // usage
  case 3:   // not found
  case 4:   // conflict, fenced
  case 5:   // validation failed
  case 69:  // unavailable after all attempts
  case 77:  // permission denied
  case 78:  // configuration error
  case 126: // found, but cannot be run
  case 127: // not found
  case 130: // stopped by SIGINT
  case 143: // stopped by SIGTERM
    return true;
  default:
    return false;
  }
}

/// Deaths after which the records that were in work are suspect.
bool is_suspect(const death& how) {
  switch (how.how) {
  case death::kind::oom:
    return true;
  case death::kind::exited:
    return how.value == watchdog_exit_code;
  case death::kind::killed:
    return how.value == SIGSEGV || how.value == SIGBUS || how.value == SIGILL || how.value == SIGFPE ||
           how.value == SIGABRT;
  case death::kind::none:
    break;
  }
  return false;
}

/// Notes a restart at `now`; false when that is one more than `intensity` allows in `period`.
bool within_intensity(std::deque<time_point>& restarts, int intensity, duration period, time_point now) {
  while (!restarts.empty() && now - restarts.front() >= period)
    restarts.pop_front();
  if (restarts.size() >= static_cast<std::size_t>(intensity))
    return false;
  restarts.push_back(now);
  return true;
}

verdict restart_after(duration delay) {
  return {.what = verdict::kind::restart, .delay = delay};
}

} // namespace

std::string name_of(const death& last) {
  switch (last.how) {
  case death::kind::none:
    return "none";
  case death::kind::oom:
    return "oom";
  case death::kind::killed:
    return "signal:" + std::to_string(last.value);
  case death::kind::exited:
    break;
  }
  return last.value == watchdog_exit_code ? "watchdog" : "exit:" + std::to_string(last.value);
}

restart_policy::restart_policy(const restart_limits& limits) : limits_(limits) {}

void restart_policy::started(time_point now) {
  started_ = now;
}

verdict restart_policy::died(const death& how, time_point now) {
  const auto lived = now - started_;
  if (lived >= limits_.backoff_reset)
    backoffs_ = 0;
  const bool short_lived = lived < limits_.short_life;
  if (is_suspect(how))
    return suspect(now, short_lived);
  if (how.how == death::kind::killed && how.value == SIGKILL && !short_lived)
    return restart_after(duration::zero());
  if (how.how == death::kind::exited && is_final(how.value))
    return {.what = verdict::kind::stop, .exit_code = how.value};
  if (how.how == death::kind::exited && how.value == 75) {
    backoffs_ = std::max(backoffs_, 1);
    return restart_after(next_backoff());
  }
  return hard(now);
}

verdict restart_policy::hard(time_point now) {
  if (within_intensity(hard_restarts_, limits_.intensity, limits_.within, now))
    return restart_after(next_backoff());
  return {.what = verdict::kind::give_up, .exit_code = 1, .restarts = limits_.intensity, .period = limits_.within};
}

verdict restart_policy::suspect(time_point now, bool short_lived) {
  if (within_intensity(suspect_restarts_, limits_.suspect_intensity, limits_.suspect_within, now))
    return restart_after(short_lived ? limits_.backoff_initial : duration::zero());
  return {.what = verdict::kind::give_up,
          .exit_code = 1,
          .restarts = limits_.suspect_intensity,
          .period = limits_.suspect_within};
}

duration restart_policy::next_backoff() {
  const int step = backoffs_++;
  if (step == 0)
    return duration::zero();
  auto delay = limits_.backoff_initial;
  for (int i = 1; i < step && delay < limits_.backoff_max; ++i)
    delay *= 2;
  return std::min(delay, limits_.backoff_max);
}

} // namespace penstock::keeper
