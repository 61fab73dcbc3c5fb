// SPDX-License-Identifier: Apache-2.0
#include "runtime/shard_task.hpp"

#include "base/fault_point.hpp"
#include "runtime/retry_delay.hpp"
#include "runtime/shard_run.hpp"

#include <algorithm>
#include <utility>

namespace penstock::runtime {

const char* name_of(enum shard_task::phase phase) {
  switch (phase) {
  case shard_task::phase::created:
    return "created";
  case shard_task::phase::opening:
    return "opening";
  case shard_task::phase::waiting:
    return "waiting";
  case shard_task::phase::running:
    return "running";
  case shard_task::phase::draining:
    return "draining";
  case shard_task::phase::backoff:
    return "backoff";
  case shard_task::phase::suspended:
    return "suspended";
  case shard_task::phase::closed:
    return "closed";
  case shard_task::phase::failed:
    return "failed";
  }
  return "unknown";
}

/// The session's life: opening, losing and reopening it. What happens inside one session is `shard_run`.
struct shard_task::content {
  explicit content(shard_settings s, std::vector<suspect> suspects)
      : settings(std::move(s)), run(settings, std::move(suspects)), delay(settings.retry_backoff) {}

  void open(actions& out) {
    now_in = phase::opening;
    reopen_at.reset();
    out.emplace_back(shard::open{settings.session});
  }

  void close(enum phase end, actions& out) {
    now_in = end;
    run.forget();
    out.emplace_back(shard::close_session{});
    if (end != phase::suspended)
      out.emplace_back(shard::finished{});
  }

  void give_up(const error& why, actions& out) {
    failure = why;
    out.emplace_back(shard::notice{"shard.failed", why.text()});
    close(phase::failed, out);
  }

  void reopen_later(time_point now, actions& out) {
    now_in = phase::backoff;
    reopen_at = now + delay.next();
    out.emplace_back(shard::wake_at{*reopen_at});
  }

  /// The session is dead: by the outcome of a commit.
  void lose_session(bool ask, time_point now, actions& out) {
    if (stopping)
      return close(phase::closed, out);
    run.forget();
    out.emplace_back(shard::close_session{});
    if (!ask)
      return reopen_later(now, out);
    now_in = phase::backoff;
    checking = true;
    out.emplace_back(shard::check_assignment{});
  }

  /// Lets the run go on, and follows it to its end.
  void go_on(time_point now, actions& out) {
    if (now_in == phase::waiting && run.has_model())
      now_in = phase::running;
    if (now_in != phase::running && now_in != phase::draining)
      return;
    run.go_on(now, out);
    if (run.failure())
      return give_up(*run.failure(), out);
    now_in = run.ending() ? phase::draining : phase::running;
    if (run.ended())
      end(out);
  }

  void end(actions& out) {
    if (!run.suspension() || stopping)
      return close(phase::closed, out);
    failure = run.suspension();
    out.emplace_back(shard::notice{"stream.suspended", failure->text()});
    close(phase::suspended, out);
  }

  [[nodiscard]] bool in_session() const {
    return now_in == phase::waiting || now_in == phase::running || now_in == phase::draining;
  }

  [[nodiscard]] std::string name() const { return settings.stream.name + " shard " + std::to_string(settings.shard); }

  shard_settings settings;
  shard_run run;
  retry_delay delay;
  enum phase now_in = phase::created;
  std::optional<error> failure;
  std::optional<time_point> reopen_at;
  std::uint32_t failed_openings = 0; ///< in a row
  bool checking = false;             ///< the assignment is being looked up
  bool stopping = false;
  std::uint64_t fenced = 0;
  std::uint64_t in_doubt = 0;
};

shard_task::shard_task(shard_settings settings, std::vector<suspect> suspects)
    : content_(std::make_unique<content>(std::move(settings), std::move(suspects))) {}
shard_task::~shard_task() = default;
shard_task::shard_task(shard_task&&) noexcept = default;

// -- the session's life ---------------------------------------------------------

shard_task::actions shard_task::start(time_point now, wall_time wall) {
  actions out;
  if (content_->now_in != phase::created)
    return out;
  content_->run.set_wall(now, wall);
  content_->open(out);
  return out;
}

shard_task::actions shard_task::opened(std::uint64_t epoch, const std::vector<storage::committed_offset>& offsets,
                                       const std::vector<std::optional<std::string>>& state, time_point now) {
  actions out;
  auto& c = *content_;
  if (c.now_in != phase::opening)
    return out;
  if (c.stopping) {
    c.close(phase::closed, out);
    return out;
  }
  c.failed_openings = 0;
  if (auto begun = c.run.begin(epoch, offsets, state, out); !begun) {
    c.give_up(begun.error().in(c.name()), out);
    return out;
  }
  c.now_in = phase::waiting;
  c.go_on(now, out);
  return out;
}

shard_task::actions shard_task::open_failed(const error& why, time_point now) {
  actions out;
  auto& c = *content_;
  if (c.now_in != phase::opening)
    return out;
  const bool passing = why.code() == errc::try_again || why.code() == errc::timeout ||
                       (why.code() == errc::unavailable && !c.settings.unavailable_is_final);
  if (c.stopping)
    c.close(phase::closed, out);
  else if (!passing || ++c.failed_openings >= c.settings.open_attempts)
    c.give_up(why.in("opening the session of " + c.name()), out);
  else
    c.reopen_later(now, out);
  return out;
}

shard_task::actions shard_task::assignment_checked(bool still_ours, time_point now) {
  actions out;
  auto& c = *content_;
  if (!std::exchange(c.checking, false) || c.now_in != phase::backoff)
    return out;
  if (still_ours) {
    c.reopen_later(now, out);
  } else {
    c.now_in = phase::closed;
    out.emplace_back(shard::finished{});
  }
  return out;
}

shard_task::actions shard_task::failed_io(const error& why, time_point) {
  actions out;
  if (content_->in_session())
    content_->give_up(why.in(content_->name()), out);
  return out;
}

shard_task::actions shard_task::stop(time_point now) {
  actions out;
  auto& c = *content_;
  c.stopping = true;
  switch (c.now_in) {
  case phase::created:
  case phase::backoff:
  case phase::suspended:
    c.now_in = phase::closed;
    out.emplace_back(shard::finished{});
    break;
  case phase::waiting:
    c.close(phase::closed, out);
    break;
  case phase::running:
  case phase::draining:
    c.run.end();
    c.go_on(now, out);
    break;
  case phase::opening: // its answer ends it
  case phase::closed:
  case phase::failed:
    break;
  }
  return out;
}

shard_task::actions shard_task::tick(time_point now) {
  actions out;
  auto& c = *content_;
  c.run.woken();
  if (c.now_in == phase::backoff && c.reopen_at) {
    if (now >= *c.reopen_at)
      c.open(out);
    else
      out.emplace_back(shard::wake_at{*c.reopen_at});
  }
  c.go_on(now, out);
  return out;
}

// -- inside a session -------------------------------------------------------------

shard_task::actions shard_task::model_assigned(const serving_model& model, time_point now) {
  actions out;
  content_->run.set_model(model);
  content_->go_on(now, out);
  return out;
}

shard_task::actions shard_task::fetched(std::uint64_t round, std::vector<storage::fetched> batches, time_point now) {
  actions out;
  if (content_->in_session())
    content_->run.fetched(round, std::move(batches), now);
  content_->go_on(now, out);
  return out;
}

shard_task::actions shard_task::scored(std::uint64_t epoch, std::uint64_t batch, scored_range result, time_point now) {
  actions out;
  if (content_->in_session())
    content_->run.scored(epoch, batch, std::move(result));
  content_->go_on(now, out);
  return out;
}

shard_task::actions shard_task::score_failed(std::uint64_t epoch, std::uint64_t batch, const std::string& cause,
                                             time_point now) {
  actions out;
  if (content_->in_session())
    content_->run.score_failed(epoch, batch, cause, now, out);
  content_->go_on(now, out);
  return out;
}

shard_task::actions shard_task::golden_checked(std::uint64_t epoch, std::uint64_t batch, bool holds, time_point now) {
  actions out;
  // Also between two sessions: the run may wait for a restart that the last one asked for.
  content_->run.golden_checked(epoch, batch, holds, now, out);
  content_->go_on(now, out);
  return out;
}

shard_task::actions shard_task::committed(const storage::commit_result& result, time_point now) {
  actions out;
  auto& c = *content_;
  if (!c.in_session() || !c.run.commit_under_way())
    return out;
  auto outcome = result.outcome;
  if (outcome == storage::commit_outcome::in_doubt && fault("shard_task.retry_in_doubt"))
    outcome = storage::commit_outcome::aborted;
  switch (outcome) {
  case storage::commit_outcome::committed:
    c.delay.succeeded();
    c.run.committed();
    break;
  case storage::commit_outcome::aborted:
    out.emplace_back(shard::notice{"commit.aborted", c.name() + ": " + result.reason});
    c.run.aborted(now + c.delay.next());
    break;
  case storage::commit_outcome::fenced:
    ++c.fenced;
    out.emplace_back(shard::notice{"session.fenced", c.name() + ": " + result.reason});
    c.lose_session(true, now, out);
    break;
  case storage::commit_outcome::in_doubt:
    ++c.in_doubt;
    out.emplace_back(shard::notice{"session.in_doubt", c.name() + ": " + result.reason});
    c.lose_session(false, now, out);
    break;
  }
  c.go_on(now, out);
  return out;
}

// -- seen from outside --------------------------------------------------------------

enum shard_task::phase shard_task::phase() const {
  return content_->now_in;
}

const std::optional<error>& shard_task::failure() const {
  return content_->failure;
}

shard_status shard_task::status() const {
  auto out = content_->run.summary();
  out.fenced = content_->fenced;
  out.in_doubt = content_->in_doubt;
  return out;
}

bool shard_task::drained() const {
  return content_->in_session() && content_->run.drained();
}

} // namespace penstock::runtime
