// SPDX-License-Identifier: Apache-2.0
#include "actors/source_actor.hpp"

#include "actors/log_link.hpp"
#include "base/logging.hpp"
#include "runtime/source_task.hpp"

#include <optional>
#include <variant>

namespace penstock::actors {

namespace {

using runtime::source_task;
namespace act = runtime::source;

class source_core;
struct source_state {
  std::unique_ptr<source_core> core;
};
using self_pointer = shell<source_state>*;

/// Carries out what the task decides. Lives and ends with the actor.
class source_core {
public:
  source_core(self_pointer self, source_setup setup)
      : self_(self), setup_(std::move(setup)), link_(*setup_.log, self->address(), "source") {
    link_.submit(
        [this, owner = self_->address()] { caf::anon_send(caf::actor_cast<caf::actor>(owner), source_ready{read()}); });
  }

  void ready(const source_ready& message) {
    if (!message.read->ok())
      return failed(message.read->error());
    const auto& read = **message.read;
    auto encoder = runtime::source_encoder::make(setup_.source, setup_.partitions, read.data);
    if (!encoder)
      return failed(encoder.error());
    encoder_ = std::make_shared<runtime::source_encoder>(std::move(*encoder));
    runtime::source_settings settings;
    settings.application = setup_.application;
    settings.source = setup_.source;
    settings.partitions = setup_.partitions;
    settings.session = setup_.session;
    settings.file = {setup_.dataset.path.string(), read.size, read.digest, 0};
    settings.rows = read.data->rows() * setup_.source.repeat;
    task_.emplace(std::move(settings));
    carry_out(task_->start(now()));
  }

  void opened(const session_opened& m) {
    carry_out(task_->opened(m.epoch, m.state.empty() ? std::nullopt : m.state.front(), now()));
  }
  void not_opened(const session_not_opened& m) { carry_out(task_->open_failed(*m.why, now())); }
  void committed(const commit_ended& m) { carry_out(task_->committed(m.result, now())); }
  void tick(const wake& m) {
    if (m.number != wake_number_)
      return;
    wake_at_.reset();
    carry_out(task_->tick(now()));
  }
  void stop(bool at_once) {
    stopping_ = true;
    if (at_once || !task_ || done_ || failure_)
      return self_->finish();
    carry_out(task_->stop(now()));
  }

  [[nodiscard]] source_info info() const {
    source_info out;
    out.name = setup_.source.name;
    out.phase = failure_ ? "failed" : task_ ? runtime::name_of(task_->phase()) : "reading";
    out.produced = task_ ? task_->produced() : 0;
    out.target = task_ ? task_->target() : 0;
    if (failure_) {
      out.failure = failure_->text();
      out.final_failure = failure_->code();
    }
    return out;
  }

private:
  [[nodiscard]] time_point now() const { return self_->clock().now(); }

  [[nodiscard]] std::shared_ptr<result<runtime::read_dataset>> read() const {
    return std::make_shared<result<runtime::read_dataset>>(runtime::read_dataset_file(setup_.dataset));
  }

  /// What a user must mend first is no reason to start again and again.
  void failed(const error& why) {
    if (why.code() == errc::unavailable)
      setup_.log_lost(why.text());
    if (!is_final(why.code()))
      return self_->fail(why.text());
    failure_ = why;
    self_->record().set_cause(why.text());
    self_->record().set_state("failed");
    logging::error("source.failed", why.text(), {{"actor", self_->record().address()}});
    if (stopping_)
      self_->finish();
  }

  void carry_out(const std::vector<act::action>& actions) {
    for (const auto& action : actions)
      std::visit([this](const auto& one) { perform(one); }, action);
  }

  void perform(const act::open& one) { link_.open(one.spec, source_task::state_key); }
  void perform(const act::close_session&) { link_.close(); }
  void perform(const act::check_assignment&) { carry_out(task_->assignment_checked(true, now())); }
  void perform(const act::produce& one) {
    link_.commit([encoder = encoder_, one] {
      storage::commit_request request;
      request.outputs = encoder->encode(one.first, one.count, system_clock().wall());
      request.state.push_back(one.state);
      return request;
    });
  }
  void perform(const act::wake_at& one) {
    if (wake_at_ && *wake_at_ <= one.at)
      return;
    wake_at_ = one.at;
    self_->delayed_send(self_, std::max(duration::zero(), duration{one.at - now()}), wake{++wake_number_});
  }
  void perform(const act::notice& one) {
    logging::warning(one.event, one.text, {{"actor", self_->record().address()}});
    if (setup_.note)
      setup_.note(one.event, self_->record().address(), one.text);
  }
  void perform(const act::finished&) {
    self_->record().set_state(runtime::name_of(task_->phase()));
    if (task_->phase() == source_task::phase::failed)
      return failed(*task_->failure());
    done_ = true;
    setup_.farewell(info());
    if (stopping_)
      self_->finish();
  }

  self_pointer self_;
  source_setup setup_;
  std::shared_ptr<runtime::source_encoder> encoder_;
  std::optional<source_task> task_;
  std::optional<error> failure_;
  std::optional<time_point> wake_at_;
  std::uint64_t wake_number_ = 0;
  bool stopping_ = false;
  bool done_ = false;
  log_link link_; ///< last member: its thread ends before what its jobs use is destroyed
};

} // namespace

caf::actor spawn_source(caf::actor_system& system, std::shared_ptr<actor_record> record, source_setup setup) {
  auto start = [setup = std::move(setup)](self_pointer self) -> caf::behavior {
    self->state.core = std::make_unique<source_core>(self, setup);
    auto* core = self->state.core.get();
    return {
        [=](const source_ready& m) { core->ready(m); },
        [=](const session_opened& m) { core->opened(m); },
        [=](const session_not_opened& m) { core->not_opened(m); },
        [=](const commit_ended& m) { core->committed(m); },
        [=](const io_failure& m) { self->fail(m.text); },
        [=](const wake& m) { core->tick(m); },
        [=](describe) { return core->info(); },
        [=](const stop_actor& m) { core->stop(m.at_once); },
    };
  };
  return system.spawn<shell<source_state>>(std::move(record), std::move(start));
}

} // namespace penstock::actors
