// SPDX-License-Identifier: Apache-2.0
#include "runtime/source_task.hpp"

#include "base/bytes.hpp"
#include "base/fault_point.hpp"
#include "runtime/retry_delay.hpp"

#include <algorithm>
#include <utility>

namespace penstock::runtime {

namespace {

constexpr std::uint32_t magic = 0x50535350; // "PSSP"
constexpr std::uint16_t version = 1;

} // namespace

// -- position ---------------------------------------------------------------------

std::string source_position::encode() const {
  byte_writer body;
  body.string(path);
  body.number(size);
  body.string(digest);
  body.number(next);
  byte_writer out;
  out.number(magic);
  out.number(version);
  out.string(body.bytes());
  return std::move(out).bytes();
}

result<source_position> source_position::decode(std::string_view bytes) {
  byte_reader in(bytes);
  if (in.number<std::uint32_t>() != magic)
    return fail(errc::invalid, "a source's position does not begin as one");
  const auto found = in.number<std::uint16_t>();
  if (in.ok() && found > version)
    return fail(errc::configuration,
                "a source's position has version {}, this Penstock reads up to {}: use a newer one", found, version);
  byte_reader body(in.string());
  source_position out;
  out.path = body.string();
  out.size = body.number<std::uint64_t>();
  out.digest = body.string();
  out.next = body.number<std::uint64_t>();
  if (found == 0 || !in.ok() || !body.ok() || !in.at_end() || !body.at_end())
    return fail(errc::invalid, "a source's position of {} bytes is damaged", bytes.size());
  return out;
}

const char* name_of(enum source_task::phase phase) {
  switch (phase) {
  case source_task::phase::created:
    return "created";
  case source_task::phase::opening:
    return "opening";
  case source_task::phase::running:
    return "running";
  case source_task::phase::backoff:
    return "backoff";
  case source_task::phase::done:
    return "done";
  case source_task::phase::closed:
    return "closed";
  case source_task::phase::failed:
    return "failed";
  }
  return "unknown";
}

// -- task -------------------------------------------------------------------------

struct source_task::content {
  explicit content(source_settings s)
      : settings(std::move(s)), target(std::min(settings.rows, settings.source.limit.value_or(settings.rows))),
        delay(settings.retry_backoff) {}

  void open(actions& out) {
    now_in = phase::opening;
    reopen_at.reset();
    out.emplace_back(source::open{settings.session});
  }

  void close(enum phase end, actions& out) {
    now_in = end;
    submitted.reset();
    out.emplace_back(source::close_session{});
    out.emplace_back(source::finished{});
  }

  void give_up(const error& why, actions& out) {
    failure = why.in("source " + settings.source.name);
    out.emplace_back(source::notice{"source.failed", failure->text()});
    close(phase::failed, out);
  }

  void reopen_later(time_point now, actions& out) {
    now_in = phase::backoff;
    reopen_at = now + delay.next();
    out.emplace_back(source::wake_at{*reopen_at});
  }

  [[nodiscard]] status adopt(const std::optional<std::string>& state) {
    if (!state) {
      next = 0;
      return {};
    }
    const auto decoded = source_position::decode(*state);
    if (!decoded)
      return decoded.error();
    const auto& file = settings.file;
    if (decoded->size != file.size || decoded->digest != file.digest)
      return fail(errc::invalid,
                  "{} ({} bytes, SHA-256 {:.12}…) is not the file whose first {} rows were produced ({}, {} bytes, "
                  "SHA-256 {:.12}…): bring that file back, or give the source another name to start over",
                  file.path, file.size, file.digest, decoded->next, decoded->path, decoded->size, decoded->digest);
    next = decoded->next;
    return {};
  }

  /// Rows that may be produced now; sets when the next one may be.
  [[nodiscard]] std::uint64_t due(time_point now) {
    const auto left = std::min<std::uint64_t>(target - next, settings.max_batch);
    const auto interval = settings.source.interval;
    if (interval <= duration::zero())
      return left;
    next_due = next_due ? std::max(*next_due, now - catch_up) : now;
    const auto earliest =
        last_commit ? std::max(*next_due, *last_commit + std::max(settings.min_commit_gap, pace)) : *next_due;
    if (now < earliest) {
      wake = earliest;
      return 0;
    }
    return std::min(left, static_cast<std::uint64_t>((now - *next_due) / interval) + 1);
  }

  void go_on(time_point now, actions& out) {
    if (now_in != phase::running || submitted)
      return;
    if (stopping)
      return close(phase::closed, out);
    if (next >= target)
      return close(phase::done, out);
    if (resume_at && now < *resume_at) {
      out.emplace_back(source::wake_at{*resume_at});
      return;
    }
    resume_at.reset();
    const auto count = due(now);
    if (count == 0) {
      out.emplace_back(source::wake_at{wake});
      return;
    }
    last_commit = now;
    submitted = count;
    auto position = settings.file;
    position.next = next + count;
    out.emplace_back(source::produce{next, count, {settings.session.states.front(), state_key, position.encode()}});
  }

  void lose_session(bool ask, time_point now, actions& out) {
    if (stopping)
      return close(phase::closed, out);
    submitted.reset();
    out.emplace_back(source::close_session{});
    if (!ask)
      return reopen_later(now, out);
    now_in = phase::backoff;
    checking = true;
    out.emplace_back(source::check_assignment{});
  }

  /// Rows that fell due while a commit or a pause took longer than this are put off, not produced in a burst.
  static constexpr duration catch_up = std::chrono::milliseconds{100};
  /// Rows that fall due within this time share a commit.
  static constexpr duration pace = std::chrono::milliseconds{20};

  source_settings settings;
  std::uint64_t target;
  retry_delay delay;
  enum phase now_in = phase::created;
  std::optional<error> failure;
  std::uint64_t next = 0;                 ///< first row that is not known to be committed
  std::optional<std::uint64_t> submitted; ///< rows in the commit under way
  std::optional<time_point> next_due;     ///< of row `next`
  std::optional<time_point> last_commit;  ///< when it was begun
  std::optional<time_point> resume_at;    ///< after an aborted commit
  std::optional<time_point> reopen_at;
  time_point wake{};
  std::uint32_t failed_openings = 0; ///< in a row
  bool checking = false;
  bool stopping = false;
};

source_task::source_task(source_settings settings) : content_(std::make_unique<content>(std::move(settings))) {}
source_task::~source_task() = default;
source_task::source_task(source_task&&) noexcept = default;

source_task::actions source_task::start(time_point) {
  actions out;
  if (content_->now_in == phase::created)
    content_->open(out);
  return out;
}

source_task::actions source_task::opened(std::uint64_t, const std::optional<std::string>& state, time_point now) {
  actions out;
  auto& c = *content_;
  if (c.now_in != phase::opening)
    return out;
  c.failed_openings = 0;
  c.last_commit.reset();
  c.next_due.reset();
  c.now_in = phase::running;
  if (auto adopted = c.adopt(state); !adopted)
    c.give_up(adopted.error(), out);
  else
    c.go_on(now, out);
  return out;
}

source_task::actions source_task::open_failed(const error& why, time_point now) {
  actions out;
  auto& c = *content_;
  if (c.now_in != phase::opening)
    return out;
  const bool passing = why.code() == errc::try_again || why.code() == errc::timeout ||
                       (why.code() == errc::unavailable && !c.settings.unavailable_is_final);
  if (c.stopping)
    c.close(phase::closed, out);
  else if (!passing || ++c.failed_openings >= c.settings.open_attempts)
    c.give_up(why.in("opening its session"), out);
  else
    c.reopen_later(now, out);
  return out;
}

source_task::actions source_task::committed(const storage::commit_result& result, time_point now) {
  actions out;
  auto& c = *content_;
  if (c.now_in != phase::running || !c.submitted)
    return out;
  auto outcome = result.outcome;
  if (outcome == storage::commit_outcome::in_doubt && fault("source_task.retry_in_doubt"))
    outcome = storage::commit_outcome::aborted;
  const auto count = *std::exchange(c.submitted, std::nullopt);
  switch (outcome) {
  case storage::commit_outcome::committed:
    c.delay.succeeded();
    c.next += count;
    if (c.next_due)
      *c.next_due += c.settings.source.interval * static_cast<std::int64_t>(count);
    break;
  case storage::commit_outcome::aborted:
    out.emplace_back(source::notice{"commit.aborted", "source " + c.settings.source.name + ": " + result.reason});
    c.resume_at = now + c.delay.next();
    break;
  case storage::commit_outcome::fenced:
    out.emplace_back(source::notice{"session.fenced", "source " + c.settings.source.name + ": " + result.reason});
    c.lose_session(true, now, out);
    break;
  case storage::commit_outcome::in_doubt:
    out.emplace_back(source::notice{"session.in_doubt", "source " + c.settings.source.name + ": " + result.reason});
    c.lose_session(false, now, out);
    break;
  }
  c.go_on(now, out);
  return out;
}

source_task::actions source_task::assignment_checked(bool still_ours, time_point now) {
  actions out;
  auto& c = *content_;
  if (!std::exchange(c.checking, false) || c.now_in != phase::backoff)
    return out;
  if (still_ours) {
    c.reopen_later(now, out);
  } else {
    c.now_in = phase::closed;
    out.emplace_back(source::finished{});
  }
  return out;
}

source_task::actions source_task::tick(time_point now) {
  actions out;
  auto& c = *content_;
  if (c.now_in == phase::backoff && c.reopen_at) {
    if (now >= *c.reopen_at)
      c.open(out);
    else
      out.emplace_back(source::wake_at{*c.reopen_at});
  }
  c.go_on(now, out);
  return out;
}

source_task::actions source_task::stop(time_point now) {
  actions out;
  auto& c = *content_;
  c.stopping = true;
  if (c.now_in == phase::created || c.now_in == phase::backoff) {
    c.now_in = phase::closed;
    out.emplace_back(source::finished{});
  }
  c.go_on(now, out);
  return out;
}

enum source_task::phase source_task::phase() const {
  return content_->now_in;
}

const std::optional<error>& source_task::failure() const {
  return content_->failure;
}

std::uint64_t source_task::produced() const {
  return content_->next;
}

std::uint64_t source_task::target() const {
  return content_->target;
}

} // namespace penstock::runtime
