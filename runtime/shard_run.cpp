// SPDX-License-Identifier: Apache-2.0
#include "runtime/shard_run.hpp"

#include "base/fault_point.hpp"

#include <algorithm>
#include <utility>

namespace penstock::runtime {

shard_run::shard_run(const shard_settings& settings, std::vector<suspect> suspects) : settings_(settings) {
  for (const auto& input : settings.session.inputs) {
    auto& p = partitions_.emplace_back();
    p.of = input;
    std::ranges::copy_if(suspects, std::back_inserter(p.suspects), [&](const suspect& s) { return s.of == input; });
  }
}

// -- the session ------------------------------------------------------------------

void shard_run::set_wall(time_point now, wall_time wall) {
  wall_from_ = now;
  wall_base_ = wall;
}

status shard_run::begin(std::uint64_t epoch, const std::vector<storage::committed_offset>& offsets,
                        const std::vector<std::optional<std::string>>& state, shard_task::actions& out) {
  if (offsets.size() != partitions_.size() || state.size() != partitions_.size())
    return fail(errc::internal, "the session speaks of {} offsets and {} states for {} partitions", offsets.size(),
                state.size(), partitions_.size());
  epoch_ = epoch;
  for (std::size_t i = 0; i < partitions_.size(); ++i)
    if (auto restored = restore(partitions_[i], i, offsets[i], state[i], out); !restored)
      return restored;
  forget();
  return {};
}

status shard_run::restore(partition& p, std::size_t index, const storage::committed_offset& offset,
                          const std::optional<std::string>& state, shard_task::actions& out) {
  p.committed = {};
  if (state) {
    auto decoded = shard_state::decode(*state);
    if (!decoded)
      return decoded.error().in(p.of.text());
    p.committed = std::move(*decoded);
  }
  p.ever_committed = offset.next.has_value() || state.has_value();
  if (!p.ever_committed) {
    p.committed.next = settings_.first_offsets.at(index);
  } else if (!offset.next) {
    out.emplace_back(shard::notice{"shard.offset_recovered", fmt::format("{}: the committed offset is gone; its state "
                                                                         "says {}",
                                                                         p.of.text(), p.committed.next)});
  } else if (!state) {
    return fail(errc::configuration,
                "{}: offset {} is committed, but its state is gone: reset the stream's offsets and state together",
                p.of.text(), *offset.next);
  } else if (p.committed.next != *offset.next) {
    return fail(errc::configuration,
                "{}: offset {} is committed, but its state stands at {}: reset the stream's offsets and state together",
                p.of.text(), *offset.next, p.committed.next);
  }
  return {};
}

void shard_run::forget() {
  rewind();
  resume_at_.reset();
  last_commit_.reset();
}

void shard_run::rewind() {
  for (auto& p : partitions_) {
    p.work.clear();
    p.reached = p.submitted = p.committed;
    p.read_next = p.committed.next;
    p.at_end = false;
    p.gap.reset();
  }
  gathering_.clear();
  under_way_.reset();
  in_flight_ = bytes_in_flight_ = 0;
  round_ = 0;
  assign_ = true;
  verdict_pending_ = false;
  suspension_.reset();
  wake_.reset();
}

// -- reading ------------------------------------------------------------------------

void shard_run::fetched(std::uint64_t round, std::vector<storage::fetched> batches, time_point now) {
  if ((round != round_ || round == 0) && !fault("shard_task.accept_late"))
    return;
  round_ = 0;
  if (ending())
    return;
  if (batches.empty())
    for (auto& p : partitions_)
      p.at_end = true;
  for (auto& one : batches) {
    auto* p = find(one.from);
    if (p == nullptr)
      continue;
    if (one.gap) {
      meet_gap(*p, *one.gap);
      continue;
    }
    in_flight_ += one.records.size();
    bytes_in_flight_ += one.records.bytes();
    p->at_end = one.at_end;
    p->read_next = one.next;
    p->work.add(std::move(one.records), one.next, settings_.max_batch_records, p->suspects, now);
    if (p->work.empty())
      p->reached.next = one.next;
  }
}

void shard_run::meet_gap(partition& p, std::int64_t log_start) {
  const bool promised = p.ever_committed || settings_.stream.from != start_from::earliest;
  if (promised && settings_.stream.on_gap == on_gap::fail) {
    failure_ = fail(errc::configuration,
                    "{}: offsets {} to {} were removed by retention before they were read; keep records longer, or set "
                    "`on_gap: skip` to go on without them",
                    p.of.text(), p.read_next, log_start - 1);
    return;
  }
  p.gap = log_start;
}

void shard_run::skip_gap(partition& p, time_point now, shard_task::actions& out) {
  const auto lost = *p.gap - p.read_next;
  p.read_next = p.reached.next = *p.gap;
  p.gap.reset();
  assign_ = true;
  if (!p.ever_committed && settings_.stream.from == start_from::earliest)
    return;
  p.reached.skipped += static_cast<std::uint64_t>(lost);
  gathering_.add_skip(now);
  out.emplace_back(shard::notice{"shard.gap_skipped", fmt::format("{}: {} offsets before {} were removed by retention",
                                                                  p.of.text(), lost, p.read_next)});
}

bool shard_run::has_credit() const {
  const std::uint64_t credits =
      settings_.credits != 0 ? settings_.credits : std::uint64_t{4} * settings_.stream.commit_records;
  // Not for a handful: a poll is worth it when a good part of the credit is free.
  return in_flight_ + credits / 4 <= credits && in_flight_ < credits && bytes_in_flight_ < settings_.credit_bytes;
}

void shard_run::ask_for_more(shard_task::actions& out) {
  if (round_ != 0 || !has_credit() ||
      std::ranges::any_of(partitions_, [](const partition& p) { return p.gap.has_value(); }))
    return;
  if (assign_) {
    shard::assign to;
    for (const auto& p : partitions_)
      to.positions.push_back({p.of, p.read_next});
    out.emplace_back(std::move(to));
    assign_ = false;
  }
  const std::uint64_t credits =
      settings_.credits != 0 ? settings_.credits : std::uint64_t{4} * settings_.stream.commit_records;
  round_ = ++numbers_;
  out.emplace_back(shard::poll{round_, credits - in_flight_, settings_.credit_bytes - bytes_in_flight_});
}

// -- scoring --------------------------------------------------------------------------

shard_run::partition* shard_run::find(const storage::partition_id& of) {
  const auto found = std::ranges::find(partitions_, of, &partition::of);
  return found == partitions_.end() ? nullptr : &*found;
}

std::uint64_t shard_run::number_for(const partition& p) {
  return ++numbers_ * partitions_.size() + static_cast<std::uint64_t>(&p - partitions_.data());
}

shard_run::partition* shard_run::awaiting(std::uint64_t epoch, std::uint64_t batch) {
  auto& p = partitions_[batch % partitions_.size()];
  if (fault("shard_task.accept_late"))
    return p.work.now_at() == partition_work::step::idle ? nullptr : &p;
  // A restart is waited for across sessions, see `partition_work::clear`.
  const bool current = epoch == epoch_ || p.work.now_at() == partition_work::step::restarting;
  return current && p.work.awaits(batch) ? &p : nullptr;
}

bool shard_run::may_begin(const partition& p) const {
  const auto busy = [](const partition& one) { return one.work.now_at() != partition_work::step::idle; };
  const auto waits = [](const partition& one, auto which) { return !one.work.empty() && which(one); };
  const auto doomed = [](const partition& one) {
    return std::ranges::any_of(one.suspects, [&](const suspect& s) { return s.alone && s.last >= one.reached.next; });
  };
  const auto alone = [](const partition& one) { return one.work.front().alone; };
  if (ending() || verdict_pending_)
    return false;
  if (std::ranges::any_of(partitions_, [&](const partition& one) { return waits(one, doomed); }))
    return doomed(p);
  if (std::ranges::any_of(partitions_, [&](const partition& one) { return waits(one, alone); }))
    return waits(p, alone) && std::ranges::none_of(partitions_, busy);
  return true;
}

void shard_run::begin_work(partition& p, time_point now, shard_task::actions& out) {
  while (!p.work.empty() && p.work.now_at() == partition_work::step::idle && may_begin(p)) {
    const auto& piece = p.work.front();
    p.model = model_;
    if (piece.doomed) {
      condemn(p, now, out);
      continue;
    }
    const auto number = number_for(p);
    out.emplace_back(shard::score{p.of, epoch_, number, piece.records, piece.range, p.model->generation, piece.alone});
    p.work.begin(number);
  }
}

void shard_run::scored(std::uint64_t epoch, std::uint64_t batch, scored_range result) {
  if (auto* p = awaiting(epoch, batch); p != nullptr && p->work.now_at() == partition_work::step::scoring)
    complete(*p, std::move(result));
}

void shard_run::complete(partition& p, scored_range made) {
  const auto piece = p.work.finish();
  auto& state = p.reached;
  state.metrics.records += made.scored;
  state.metrics.dead_letters += made.dead_letters.size();
  state.metrics.nulls += made.nulls;
  for (const auto& one : made.evaluations)
    state.metrics.add(one.actual, one.predicted);
  for (const auto& one : made.class_evaluations)
    state.metrics.add(one.actual, one.predicted, settings_.stream.classes.size(), one.probability);
  if (p.model->generation != state.generation) {
    state.generation = p.model->generation;
    state.generation_from = piece.first_offset();
  }
  state.next = piece.next;
  gathering_.add(piece, std::move(made), {settings_.stream.dead_letters, p.of.partition});
}

void shard_run::score_failed(std::uint64_t epoch, std::uint64_t batch, const std::string& cause, time_point now,
                             shard_task::actions& out) {
  if (auto* p = awaiting(epoch, batch); p != nullptr && p->work.now_at() == partition_work::step::scoring)
    react(*p, p->work.failed(cause), now, out);
}

void shard_run::golden_checked(std::uint64_t epoch, std::uint64_t batch, bool holds, time_point now,
                               shard_task::actions& out) {
  auto* p = awaiting(epoch, batch);
  if (p != nullptr && p->work.now_at() != partition_work::step::scoring)
    react(*p, p->work.golden(holds), now, out);
}

void shard_run::react(partition& p, partition_work::verdict what, time_point now, shard_task::actions& out) {
  if (what == partition_work::verdict::again)
    return;
  const auto& cause = p.work.front().cause;
  switch (what) {
  case partition_work::verdict::again:
    break;
  case partition_work::verdict::check: {
    const auto number = number_for(p);
    p.work.expect(number);
    out.emplace_back(shard::check_golden{p.of, epoch_, number});
    break;
  }
  case partition_work::verdict::restart: {
    const auto number = number_for(p);
    p.work.expect(number);
    out.emplace_back(shard::restart_predictor{p.of, epoch_, number, "it does not score a golden row: " + cause});
    break;
  }
  case partition_work::verdict::condemn:
    condemn(p, now, out);
    break;
  case partition_work::verdict::give_up:
    failure_ = fail(errc::failed, "{}: the predictor does not score a golden row after {} restarts: {}", p.of.text(),
                    partition_work::max_restarts, cause);
    break;
  }
}

void shard_run::condemn(partition& p, time_point now, shard_task::actions& out) {
  const auto& piece = p.work.front();
  const auto original = (*piece.records)[piece.range.first];
  const auto fixed = original.key.size() + original.headers.size() + dead_letter_headroom;
  const auto room = settings_.max_record_bytes - std::min(settings_.max_record_bytes, fixed);
  const dead_letter_cause cause{piece.cause, std::max(piece.attempts, 1U) + (piece.doomed ? 1U : 0U), p.model->name,
                                p.model->version};
  const auto at = wall(now);
  scored_range made;
  add_dead_letter(made.dead_letters, original, p.of, cause, at, room);
  out.emplace_back(
      shard::notice{"record.condemned", fmt::format("{} offset {}: {}", p.of.text(), original.offset, piece.cause)});
  ++condemned_;
  const bool verdict = piece.doomed;
  complete(p, std::move(made));
  if (verdict)
    pass_verdict(p, at);
}

void shard_run::pass_verdict(partition& p, wall_time at) {
  verdict_pending_ = true;
  p.reached.verdicts.push_back(at);
  if (p.reached.verdicts.size() > shard_state::kept_verdicts)
    p.reached.verdicts.erase(p.reached.verdicts.begin());
  const auto recent = at - 60'000;
  std::uint64_t count = 0;
  for (const auto& one : partitions_)
    count +=
        static_cast<std::uint64_t>(std::ranges::count_if(one.reached.verdicts, [&](auto t) { return t > recent; }));
  if (count > settings_.verdicts_per_minute)
    suspension_ = fail(errc::failed,
                       "{} records of {} brought the process down within a minute: the stream is suspended; look at "
                       "its dead letters, then resume it",
                       count, settings_.stream.name);
}

wall_time shard_run::wall(time_point now) const {
  return wall_base_ + std::chrono::duration_cast<std::chrono::milliseconds>(now - wall_from_).count();
}

// -- committing -------------------------------------------------------------------------

bool shard_run::at_rest() const {
  return std::ranges::all_of(partitions_, [this](const partition& p) {
    return ending() ? p.work.now_at() == partition_work::step::idle : p.work.empty();
  });
}

void shard_run::commit_when_due(time_point now, shard_task::actions& out) {
  if (under_way_ || gathering_.empty())
    return;
  const auto in_time = gathering_.oldest() + settings_.stream.commit_interval;
  const bool drained = std::ranges::all_of(partitions_, &partition::at_end);
  const bool want = gathering_.records() >= settings_.stream.commit_records || now >= in_time || verdict_pending_ ||
                    (at_rest() && (drained || ending() || !has_credit()));
  const auto earliest = last_commit_ ? *last_commit_ + settings_.min_commit_gap : now;
  if (want && now >= earliest)
    commit(now, out);
  else
    wake_at(want ? earliest : std::max(in_time, earliest), out);
}

void shard_run::commit(time_point now, shard_task::actions& out) {
  shard::commit commit;
  for (auto& p : partitions_) {
    if (p.reached.next == p.submitted.next)
      continue;
    p.submitted = p.reached;
    commit.request.offsets.push_back({p.of, p.submitted.next});
    commit.request.state.push_back({p.of, shard_task::state_key, p.submitted.encode()});
    if (fault("shard_task.state_before_commit"))
      p.committed.metrics = p.submitted.metrics;
  }
  under_way_ = submission{gathering_.records(), gathering_.bytes()};
  commit.request.outputs = gathering_.take_outputs();
  gathering_.clear();
  last_commit_ = now;
  out.emplace_back(std::move(commit));
}

void shard_run::committed() {
  for (auto& p : partitions_) {
    p.ever_committed = p.ever_committed || p.submitted.next != p.committed.next;
    p.committed = p.submitted;
  }
  in_flight_ -= under_way_->records;
  bytes_in_flight_ -= under_way_->bytes;
  under_way_.reset();
  verdict_pending_ = verdict_pending_ && !gathering_.empty();
  ++commits_;
}

void shard_run::aborted(time_point resume_at) {
  ++aborted_;
  if (fault("shard_task.no_rewind")) {
    under_way_.reset();
    return;
  }
  rewind();
  resume_at_ = resume_at;
}

void shard_run::go_on(time_point now, shard_task::actions& out) {
  if (failure_)
    return;
  if (resume_at_ && now < *resume_at_ && !stopping_)
    return wake_at(*resume_at_, out);
  resume_at_.reset();
  for (auto& p : partitions_) {
    begin_work(p, now, out);
    // What was fetched before a gap comes first; the skip takes its turn behind it.
    if (p.gap && p.work.empty() && !ending())
      skip_gap(p, now, out);
  }
  if (!ending())
    ask_for_more(out);
  commit_when_due(now, out);
}

void shard_run::wake_at(time_point at, shard_task::actions& out) {
  if (wake_ && *wake_ <= at)
    return;
  wake_ = at;
  out.emplace_back(shard::wake_at{at});
}

// -- seen from outside --------------------------------------------------------------------

void shard_run::set_model(const serving_model& model) {
  if (model_ && model.generation <= model_->generation)
    return;
  model_ = std::make_shared<const serving_model>(model);
}

bool shard_run::has_model() const {
  return model_ && std::ranges::all_of(partitions_, [this](const partition& p) {
           return p.committed.generation <= model_->generation;
         });
}

bool shard_run::ended() const {
  return ending() && !under_way_ && gathering_.empty() && at_rest();
}

bool shard_run::drained() const {
  return in_flight_ == 0 && gathering_.empty() && !under_way_ && std::ranges::all_of(partitions_, &partition::at_end);
}

shard_status shard_run::summary() const {
  shard_status out;
  out.epoch = epoch_;
  for (const auto& p : partitions_) {
    out.committed.push_back({p.of, p.committed.next});
    out.metrics.push_back(p.committed.metrics);
    out.gaps_skipped += p.committed.skipped;
  }
  out.generation = model_ ? model_->generation : 0;
  out.in_flight = in_flight_;
  out.commits = commits_;
  out.aborted = aborted_;
  out.condemned = condemned_;
  return out;
}

} // namespace penstock::runtime
