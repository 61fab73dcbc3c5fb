// SPDX-License-Identifier: Apache-2.0
#include "actors/shard_actor.hpp"

#include "actors/log_link.hpp"
#include "base/logging.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <optional>
#include <set>
#include <variant>

namespace penstock::actors {

namespace {

using runtime::serving_model;
using runtime::shard_task;
namespace act = runtime::shard;

/// How often a shard looks whether it still follows the living control actor and has the model it wants.
constexpr auto look_around_every = std::chrono::seconds{1};

class shard_core;
struct shard_state {
  std::unique_ptr<shard_core> core;
};
using self_pointer = shell<shard_state>*;

/// Carries out what the task decides. Lives and ends with the actor.
class shard_core {
public:
  shard_core(self_pointer self, shard_setup setup)
      : self_(self), setup_(std::move(setup)),
        series_(setup_.metrics->stream(setup_.settings.application, setup_.settings.stream.name,
                                       !setup_.settings.stream.classes.empty())),
        link_(*setup_.log, self->address(), "shard-" + std::to_string(setup_.settings.shard)) {}

  // -- beginning ----------------------------------------------------------------

  void begin() {
    for (const auto& [of, address] : setup_.predictors) {
      if (setup_.directory->handle(address))
        living_.insert(of);
    }
    look();
    link_.submit([this, owner = self_->address()] {
      auto offsets = first_offsets();
      auto target = caf::actor_cast<caf::actor>(owner);
      if (!offsets)
        return caf::anon_send(target, reader_failed{std::make_shared<error>(offsets.error())});
      caf::anon_send(target, first_offsets_known{std::move(*offsets)});
    });
  }

  void start(std::vector<std::int64_t> first) {
    auto settings = setup_.settings;
    settings.first_offsets = std::move(first);
    task_.emplace(std::move(settings), setup_.suspects);
    carry_out(task_->start(now(), system_clock().wall()));
  }

  // -- the model ----------------------------------------------------------------

  /// Follows the control actor that lives now, and asks again for a model that did not come.
  void look() {
    self_->delayed_send(self_, look_around_every, look_around{});
    const auto control = setup_.directory->handle(setup_.control);
    if (control && control != followed_) {
      followed_ = control;
      const auto& stream = setup_.settings.stream;
      self_->send(control, follow_stream{setup_.stream, stream.model, stream.alias, self_});
    }
    if (wanted_)
      ask_for_model();
  }

  void serving(const serving_changed& change) {
    wanted_ = change;
    ask_for_model();
  }

  void model_arrived(const model_loaded& answer) {
    if (!wanted_ || answer.digest != wanted_->digest)
      return;
    if (!answer.package) {
      logging::error("model.not_loaded", answer.why->text(), {{"model", wanted_->model}});
      return;
    }
    auto model = std::make_shared<serving_model>();
    *model = {wanted_->model, wanted_->version, wanted_->generation, wanted_->digest, answer.package};
    wanted_.reset();
    models_[model->generation] = model;
    if (task_)
      carry_out(task_->model_assigned(*model, now()));
  }

  // -- predictors ---------------------------------------------------------------

  void up(const storage::partition_id& of) {
    living_.insert(of);
    if (const auto held = held_.find(of); held != held_.end()) {
      auto send = std::move(held->second);
      held_.erase(held);
      send();
    }
  }

  /// What the dead predictor had in work gets no answer from it.
  void down(const predictor_down& message) {
    living_.erase(message.of);
    const auto it = in_work_.find(message.of);
    if (it == in_work_.end())
      return;
    const auto lost = it->second;
    in_work_.erase(it);
    if (lost.golden)
      carry_out(task_->golden_checked(lost.epoch, lost.batch, false, now()));
    else
      carry_out(task_->score_failed(lost.epoch, lost.batch, message.cause, now()));
  }

  void scored(const range_scored& answer) {
    forget(answer.epoch, answer.batch);
    series_.decode_seconds->Increment(seconds(answer.result->decode));
    series_.predict_seconds->Increment(seconds(answer.result->predict));
    series_.encode_seconds->Increment(seconds(answer.result->encode));
    carry_out(task_->scored(answer.epoch, answer.batch, std::move(*answer.result), now()));
  }
  void failed(const range_failed& answer) {
    forget(answer.epoch, answer.batch);
    carry_out(task_->score_failed(answer.epoch, answer.batch, answer.cause, now()));
  }
  void golden(const golden_row_checked& answer) {
    forget(answer.epoch, answer.batch);
    carry_out(task_->golden_checked(answer.epoch, answer.batch, answer.holds, now()));
  }

  // -- the log ------------------------------------------------------------------

  void opened(const session_opened& answer) {
    carry_out(task_->opened(answer.epoch, answer.offsets, answer.state, now()));
    publish();
    if (!models_.empty())
      carry_out(task_->model_assigned(*models_.rbegin()->second, now()));
  }
  void not_opened(const session_not_opened& answer) { carry_out(task_->open_failed(*answer.why, now())); }
  void fetched(const batches_fetched& answer) {
    carry_out(task_->fetched(answer.round, std::move(*answer.batches), now()));
  }
  void reading_failed(const reader_failed& answer) {
    if (task_)
      carry_out(task_->failed_io(*answer.why, now()));
    else
      self_->fail(answer.why->text());
  }
  void committed(const commit_ended& answer) {
    count(answer);
    carry_out(task_->committed(answer.result, now()));
    publish();
  }

  // -- the rest -----------------------------------------------------------------

  void tick(const wake& message) {
    if (message.number != wake_number_)
      return;
    wake_at_.reset();
    carry_out(task_->tick(now()));
  }
  void stop(bool at_once) {
    stopping_ = true;
    if (at_once || !task_ || task_->phase() == shard_task::phase::failed)
      return self_->finish();
    carry_out(task_->stop(now()));
  }
  [[nodiscard]] shard_info info() const;

private:
  /// What a predictor was sent and has not answered.
  struct awaited {
    std::uint64_t epoch = 0;
    std::uint64_t batch = 0;
    bool golden = false;
  };

  [[nodiscard]] time_point now() const { return self_->clock().now(); }
  [[nodiscard]] static double seconds(duration value) { return std::chrono::duration<double>(value).count(); }

  [[nodiscard]] result<std::vector<std::int64_t>> first_offsets() const;
  void ask_for_model() {
    if (const auto store = setup_.directory->handle(setup_.model_store))
      self_->send(store, load_model{wanted_->digest});
  }
  void forget(std::uint64_t epoch, std::uint64_t batch) {
    std::erase_if(in_work_,
                  [&](const auto& entry) { return entry.second.epoch == epoch && entry.second.batch == batch; });
  }

  void carry_out(std::vector<act::action> actions) {
    for (auto& action : actions)
      std::visit([this](auto& one) { perform(one); }, action);
  }

  void perform(act::open& one) { link_.open(one.spec, shard_task::state_key); }
  void perform(act::assign& one) { link_.assign(one.positions); }
  void perform(act::poll& one) { link_.poll(one.round, one.max_records, one.max_bytes); }
  void perform(act::commit& one) { link_.commit(std::move(one.request)); }
  void perform(act::close_session&) { link_.close(); }
  void perform(act::score& one);
  void perform(act::check_golden& one);
  void perform(act::restart_predictor& one);
  void perform(act::check_assignment&) {
    // On one machine the control topic has one member: a shard that exists is assigned here.
    carry_out(task_->assignment_checked(true, now()));
  }
  void perform(act::wake_at& one) {
    if (wake_at_ && *wake_at_ <= one.at)
      return;
    wake_at_ = one.at;
    self_->delayed_send(self_, std::max(duration::zero(), duration{one.at - now()}), wake{++wake_number_});
  }
  void perform(act::notice& one) {
    logging::warning(one.event, one.text, {{"actor", setup_.address}});
    if (setup_.note)
      setup_.note(one.event, setup_.address, one.text);
  }
  /// What a user must mend first (a gap, a state that does not fit) is no reason to start again and again.
  void fail_for_good() {
    self_->record().set_cause(task_->failure()->text());
    logging::error("shard.failed", task_->failure()->text(), {{"actor", setup_.address}});
    if (stopping_)
      self_->finish();
  }
  void perform(act::finished&) {
    self_->record().set_state(runtime::name_of(task_->phase()));
    if (task_->phase() == shard_task::phase::failed && !is_final(task_->failure()->code())) {
      if (task_->failure()->code() == errc::unavailable)
        setup_.log_lost(task_->failure()->text());
      self_->fail(task_->failure()->text());
    } else if (task_->phase() == shard_task::phase::failed)
      fail_for_good();
    else if (task_->phase() == shard_task::phase::closed) {
      setup_.farewell(info());
      self_->finish();
    }
  }

  /// Sends now, or as soon as the partition's predictor lives.
  template <class Message>
  void to_predictor(const storage::partition_id& of, Message message) {
    const auto send = [this, of, message] {
      in_work_[of] = {message.epoch, message.batch, std::is_same_v<Message, check_golden_row>};
      if (const auto handle = setup_.directory->handle(setup_.predictors.at(of)))
        self_->send(handle, message);
    };
    if (living_.contains(of))
      send();
    else
      held_[of] = send;
  }

  void count(const commit_ended& answer);
  void publish();

  self_pointer self_;
  shard_setup setup_;
  node_metrics::stream_series series_;
  std::optional<shard_task> task_;
  std::map<std::uint64_t, std::shared_ptr<const serving_model>> models_; ///< by generation
  std::optional<serving_changed> wanted_;
  caf::actor followed_;
  std::set<storage::partition_id> living_;                      ///< partitions whose predictor lives
  std::map<storage::partition_id, std::function<void()>> held_; ///< waits for its predictor
  std::map<storage::partition_id, awaited> in_work_;            ///< sent to a predictor, not answered
  std::optional<time_point> wake_at_;
  std::uint64_t wake_number_ = 0;
  std::uint64_t counted_records_ = 0, counted_dead_letters_ = 0;
  bool counted_once_ = false;
  bool stopping_ = false;
  log_link link_; ///< last member: its thread ends before what its jobs use is destroyed
};

result<std::vector<std::int64_t>> shard_core::first_offsets() const {
  const auto& stream = setup_.settings.stream;
  std::vector<std::int64_t> out;
  for (const auto& of : setup_.settings.session.inputs) {
    auto range = setup_.log->offsets(of);
    if (!range)
      return range.error();
    switch (stream.from) {
    case runtime::start_from::earliest:
      out.push_back(range->start);
      break;
    case runtime::start_from::latest:
      out.push_back(range->end);
      break;
    case runtime::start_from::offset:
      out.push_back(stream.from_value);
      break;
    case runtime::start_from::time: {
      auto at = setup_.log->offset_at(of, stream.from_value);
      if (!at)
        return at.error();
      out.push_back(*at);
    }
    }
  }
  return out;
}

void shard_core::perform(act::score& one) {
  const auto model = models_.find(one.generation);
  if (model == models_.end())
    return self_->fail("the model of generation " + std::to_string(one.generation) + " is not here");
  models_.erase(models_.begin(), model);
  to_predictor(one.of, score_range{one.epoch, one.batch, one.records, one.range, one.alone, model->second,
                                   setup_.settings.max_record_bytes});
}

void shard_core::perform(act::check_golden& one) {
  to_predictor(one.of, check_golden_row{one.epoch, one.batch, models_.rbegin()->second});
}

void shard_core::perform(act::restart_predictor& one) {
  living_.erase(one.of);
  in_work_.erase(one.of);
  to_predictor(one.of, check_golden_row{one.epoch, one.batch, models_.rbegin()->second});
  if (const auto supervisor = setup_.directory->handle(setup_.predictor_supervisor))
    self_->send(supervisor, restart_child{setup_.predictors.at(one.of), one.reason});
}

void shard_core::count(const commit_ended& answer) {
  switch (answer.result.outcome) {
  case storage::commit_outcome::committed:
    series_.committed->Increment();
    break;
  case storage::commit_outcome::aborted:
    series_.aborted->Increment();
    break;
  case storage::commit_outcome::fenced:
    series_.fenced->Increment();
    break;
  case storage::commit_outcome::in_doubt:
    series_.in_doubt->Increment();
    break;
  }
  series_.commit_seconds->Observe(seconds(answer.took));
  setup_.metrics->commit_took(answer.took);
  if (answer.result.outcome != storage::commit_outcome::committed)
    logging::warning("shard.commit_failed", answer.result.reason,
                     {{"actor", setup_.address}, {"cause", storage::name_of(answer.result.outcome)}});
}

/// Figures are state and survive restarts: what the opening found is where this process's counters start from.
void shard_core::publish() {
  const auto status = task_->status();
  runtime::running_metrics sum;
  for (const auto& one : status.metrics)
    sum.merge(one);
  if (counted_once_) {
    const auto outcomes = sum.records + sum.dead_letters;
    series_.outcomes->Increment(
        static_cast<double>(outcomes - std::min(outcomes, counted_records_ + counted_dead_letters_)));
    series_.records->Increment(static_cast<double>(sum.records - std::min(sum.records, counted_records_)));
    series_.dead_letters->Increment(
        static_cast<double>(sum.dead_letters - std::min(sum.dead_letters, counted_dead_letters_)));
  }
  counted_once_ = true;
  counted_records_ = sum.records;
  counted_dead_letters_ = sum.dead_letters;
  if (series_.accuracy != nullptr) {
    series_.accuracy->Set(sum.accuracy());
    series_.log_loss->Set(sum.log_loss());
  } else {
    series_.mae->Set(sum.mae());
    series_.rmse->Set(sum.rmse());
  }
}

shard_info shard_core::info() const {
  shard_info out;
  out.name = setup_.address;
  out.stream = setup_.stream;
  out.phase = "starting";
  if (!task_)
    return out;
  const auto status = task_->status();
  out.phase = runtime::name_of(task_->phase());
  out.epoch = status.epoch;
  for (std::size_t i = 0; i < status.committed.size(); ++i)
    out.partitions.push_back({status.committed[i].of, status.committed[i].next, 0, status.metrics[i]});
  out.in_flight = status.in_flight;
  out.commits = status.commits;
  out.aborted = status.aborted;
  out.fenced = status.fenced;
  out.in_doubt = status.in_doubt;
  if (!models_.empty())
    out.model_version = models_.rbegin()->second->version;
  if (task_->failure()) {
    out.failure = task_->failure()->text();
    if (task_->phase() == shard_task::phase::failed && is_final(task_->failure()->code()))
      out.final_failure = task_->failure()->code();
  }
  return out;
}

} // namespace

caf::actor spawn_shard(caf::actor_system& system, std::shared_ptr<actor_record> record, shard_setup setup) {
  auto start = [setup = std::move(setup)](self_pointer self) -> caf::behavior {
    self->state.core = std::make_unique<shard_core>(self, setup);
    auto* core = self->state.core.get();
    core->begin();
    return {
        [=](const first_offsets_known& m) { core->start(m.offsets); },
        [=](look_around) { core->look(); },
        [=](const serving_changed& m) { core->serving(m); },
        [=](const model_loaded& m) { core->model_arrived(m); },
        [=](const predictor_up& m) { core->up(m.of); },
        [=](const predictor_down& m) { core->down(m); },
        [=](const range_scored& m) { core->scored(m); },
        [=](const range_failed& m) { core->failed(m); },
        [=](const golden_row_checked& m) { core->golden(m); },
        [=](const session_opened& m) { core->opened(m); },
        [=](const session_not_opened& m) { core->not_opened(m); },
        [=](const batches_fetched& m) { core->fetched(m); },
        [=](const reader_failed& m) { core->reading_failed(m); },
        [=](const commit_ended& m) { core->committed(m); },
        [=](const io_failure& m) { self->fail(m.text); },
        [=](const wake& m) { core->tick(m); },
        [=](describe) { return core->info(); },
        [=](const stop_actor& m) { core->stop(m.at_once); },
    };
  };
  return system.spawn<shell<shard_state>>(std::move(record), std::move(start));
}

} // namespace penstock::actors
