// SPDX-License-Identifier: Apache-2.0
#include "keeper/keeper.hpp"

#include "keeper/message.hpp"
#include "keeper/oom_kills.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <optional>
#include <string>
#include <vector>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace penstock::keeper {

namespace {

constexpr auto stop_limit = std::chrono::seconds(6);

time_point now() {
  return std::chrono::steady_clock::now();
}

/// The one child and the signals of the process.
class child_process {
public:
  explicit child_process(const std::vector<std::string>& command) {
    for (const auto& word : command)
      arguments_.push_back(const_cast<char*>(word.c_str())); // execvp's signature; it does not write
    arguments_.push_back(nullptr);
    block_signals();
  }

  /// False when no process could be made; the reason is said.
  [[nodiscard]] bool start(unsigned incarnation, const death& last);
  [[nodiscard]] bool running() const { return pid_ > 0; }
  void send(int signal) const { ::kill(pid_, signal); }

  /// Waits until `deadline` (for ever without one) for a stop signal or the child's death. Nothing when time is up.
  struct event {
    int stop_signal = 0;
    bool from_terminal = false;
    std::optional<death> died;
  };
  [[nodiscard]] event wait(std::optional<time_point> deadline);

private:
  void block_signals();
  [[nodiscard]] std::optional<death> reap();
  [[noreturn]] void become_command(pid_t keeper, unsigned incarnation, const death& last) const;

  std::vector<char*> arguments_;
  sigset_t waited_{};
  sigset_t before_{};
  pid_t pid_ = 0;
  std::uint64_t oom_kills_ = 0;
};

void child_process::block_signals() {
  ::sigemptyset(&waited_);
  ::sigaddset(&waited_, SIGCHLD);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction inherited {};
    ::sigaction(signal, nullptr, &inherited);
    // Ignored at the start (nohup, a background job) stays ignored, here and in the child.
    if (inherited.sa_handler != SIG_IGN)
      ::sigaddset(&waited_, signal);
  }
  // An inherited SIG_IGN would reap the child behind our back.
  std::signal(SIGCHLD, SIG_DFL);
  ::sigprocmask(SIG_BLOCK, &waited_, &before_);
}

bool child_process::start(unsigned incarnation, const death& last) {
  oom_kills_ = oom_kills();
  const auto keeper = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0)
    become_command(keeper, incarnation, last);
  if (pid_ < 0)
    say("error", "keeper.fork_failed", std::string("cannot start a process: ") + std::strerror(errno));
  return pid_ > 0;
}

void child_process::become_command(pid_t keeper, unsigned incarnation, const death& last) const {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != keeper) // it died before the line above
    ::_exit(143);
  ::setenv("PENSTOCK_INCARNATION", std::to_string(incarnation).c_str(), 1);
  ::setenv("PENSTOCK_LAST_DEATH", name_of(last).c_str(), 1);
  ::setenv("PENSTOCK_KEEPER_PID", std::to_string(keeper).c_str(), 1);
  ::sigprocmask(SIG_SETMASK, &before_, nullptr);
  ::execvp(arguments_[0], arguments_.data());
  const int failed = errno;
  say("error", "keeper.exec_failed", std::string("cannot run ") + arguments_[0] + ": " + std::strerror(failed));
  ::_exit(failed == ENOENT ? 127 : 126);
}

child_process::event child_process::wait(std::optional<time_point> deadline) {
  for (;;) {
    siginfo_t info{};
    int signal = 0;
    if (deadline) {
      const auto left = std::max(duration::zero(), duration(*deadline - now()));
      const std::timespec limit{left.count() / 1'000'000'000, left.count() % 1'000'000'000};
      signal = ::sigtimedwait(&waited_, &info, &limit);
    } else {
      signal = ::sigwaitinfo(&waited_, &info);
    }
    if (signal < 0 && errno == EAGAIN)
      return {};
    if (signal == SIGCHLD) {
      if (auto how = reap())
        return {.stop_signal = 0, .from_terminal = false, .died = how};
    } else if (signal > 0) {
      return {.stop_signal = signal, .from_terminal = info.si_code == SI_KERNEL, .died = std::nullopt};
    }
  }
}

/// Reaps every process that ended, for as the first process of a container the keeper inherits strangers.
std::optional<death> child_process::reap() {
  std::optional<death> out;
  int how = 0;
  for (;;) {
    const auto pid = ::waitpid(-1, &how, WNOHANG);
    if (pid < 0 && errno == EINTR)
      continue;
    if (pid <= 0)
      return out;
    if (pid != pid_)
      continue;
    pid_ = 0;
    if (WIFEXITED(how))
      out = death{death::kind::exited, WEXITSTATUS(how)};
    else if (WTERMSIG(how) == SIGKILL && oom_kills() > oom_kills_)
      out = death{death::kind::oom, SIGKILL};
    else
      out = death{death::kind::killed, WTERMSIG(how)};
  }
}

/// Lets the child end after a stop signal; returns the keeper's exit code.
int stop(child_process& child, child_process::event first) {
  if (!child.running())
    return 128 + first.stop_signal;
  std::array<bool, NSIG> sent{};
  const auto deadline = now() + stop_limit;
  bool killed = false;
  for (auto event = first;; event = child.wait(killed ? std::nullopt : std::optional(deadline))) {
    if (event.died)
      return event.died->how == death::kind::exited ? event.died->value : 128 + event.died->value;
    if (event.stop_signal == 0) {
      say("error", "keeper.killed", "the runtime did not end within 6 s of the stop signal; killing it");
      child.send(SIGKILL);
      killed = true;
    } else if (!event.from_terminal && !sent[static_cast<std::size_t>(event.stop_signal)]) {
      child.send(event.stop_signal);
    }
    sent[static_cast<std::size_t>(event.stop_signal)] = true;
  }
}

void say_restart(const death& how, duration lived, duration delay, unsigned incarnation) {
  const auto when = delay == duration::zero() ? std::string("now") : "in " + describe(delay);
  say("warning", "keeper.restarted",
      "the runtime died (" + describe(how) + ") after " + describe(lived) + "; incarnation " +
          std::to_string(incarnation) + " starts " + when,
      name_of(how));
}

void say_given_up(const death& how, const verdict& decision) {
  say("error", "keeper.gave_up",
      "gave up after " + std::to_string(decision.restarts) + " restarts in " + describe(decision.period) +
          "; last death: " + describe(how) + "; see the lines above for its cause, and start again once that is mended",
      name_of(how));
}

} // namespace

int keep(const options& what) {
  child_process child(what.command);
  restart_policy policy(what.limits);
  death last;
  for (unsigned incarnation = 1;; ++incarnation) {
    const auto started = now();
    policy.started(started);
    child_process::event event;
    if (child.start(incarnation, last))
      event = child.wait(std::nullopt);
    else
      event.died = death{death::kind::exited, 75}; // no memory or no process number now; later there may be
    if (!event.died)
      return stop(child, event);
    last = *event.died;
    const auto decision = policy.died(last, now());
    if (decision.what == verdict::kind::stop)
      return decision.exit_code;
    if (decision.what == verdict::kind::give_up) {
      say_given_up(last, decision);
      return decision.exit_code;
    }
    say_restart(last, now() - started, decision.delay, incarnation + 1);
    if (decision.delay > duration::zero())
      if (const auto during = child.wait(now() + decision.delay); during.stop_signal != 0)
        return stop(child, during);
  }
}

} // namespace penstock::keeper
