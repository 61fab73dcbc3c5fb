// SPDX-License-Identifier: Apache-2.0
#include "actors/trainer_actor.hpp"

#include "actors/io_thread.hpp"
#include "base/logging.hpp"
#include "runtime/dataset_file.hpp"
#include "runtime/webhook.hpp"

#include <atomic>
#include <optional>

namespace penstock::actors {

namespace {

using namespace runtime;

/// How long an answer of the control actor is awaited before it is asked again.
constexpr auto ask_again_after = std::chrono::seconds{2};

class trainer_core;
struct trainer_state {
  std::unique_ptr<trainer_core> core;
};
using self_pointer = shell<trainer_state>*;

class trainer_core {
public:
  trainer_core(self_pointer self, trainer_setup setup)
      : self_(self), setup_(std::move(setup)), thread_("trainer", [owner = self->address()](const std::string& text) {
          training_ended message;
          message.failure = std::make_shared<error>(errc::failed, text);
          message.threw = true;
          caf::anon_send(caf::actor_cast<caf::actor>(owner), std::move(message));
        }) {
    info_.training = setup_.application + "/" + setup_.training.name;
    info_.state = "waiting";
    thread_.on_stop([this] { cancelled_ = true; });
  }
  ~trainer_core() { thread_.stop(); }

  /// Asks the control actor what was done before; comes back until it answers.
  void begin() {
    ask_again();
    const auto control = setup_.directory->handle(setup_.control);
    if (!control)
      return;
    self_->request(control, ask_again_after, view_control{})
        .then([this](const control_view& view) { attempt(view); },
              [](const caf::error&) { /* the timer asks again */ });
  }

  void started(const training_started& message) {
    const auto at = system_clock().wall();
    tell_control({run_started{run_, info_.training, message.inputs, info_.attempt, at},
                  event_noted{"training.started", info_.training, "attempt " + std::to_string(info_.attempt), at}});
    notify(training_event::kind::started);
  }

  void moved(const training_moved& message) {
    info_.progress = message.progress;
    if (message.progress.done)
      info_.step_texts[static_cast<int>(message.progress.step)] = message.progress.text;
  }

  void ended(const training_ended& message) {
    if (info_.state == "cancelling")
      return cancelled(); // also when the work was done just then: who cancels is not given a new model
    if (message.failure)
      return failed(message);
    info_.progress = {training_step::save, 1, info_.progress.text, true};
    info_.reused = message.reused;
    info_.digest = message.digest;
    info_.metrics = message.metrics;
    run_completed done{run_, info_.training, message.inputs, message.digest, message.metrics, system_clock().wall()};
    request_ = record_run{std::move(done), setup_.training.model, self_};
    register_run();
  }

  void recorded(const run_recorded& message) {
    if (info_.state == "completed")
      return;
    request_.reset();
    info_.version = message.version;
    info_.digest = message.digest;
    set_state("completed");
    if (!info_.reused)
      notify(training_event::kind::completed);
  }

  [[nodiscard]] cancel_answered cancel() {
    if (info_.state == "cancelled" || info_.state == "cancelling")
      return {};
    if (request_ || info_.state == "completed" || info_.state == "failed")
      return {std::make_shared<error>(errc::conflict,
                                      fmt::format("training {} has {}; there is nothing to cancel", info_.training,
                                                  info_.state == "failed" ? "failed" : "completed"))};
    cancelled_ = true;
    if (info_.state == "running")
      set_state("cancelling");
    else
      cancelled();
    return {};
  }

  void tick(const wake& message) {
    if (message.number != timer_)
      return;
    if (request_)
      register_run();
    else if (info_.state == "waiting" || info_.state == "retrying")
      begin();
  }

  [[nodiscard]] const training_info& info() const { return info_; }

private:
  void attempt(const control_view& view) {
    if (info_.state != "waiting" && info_.state != "retrying")
      return;
    set_state("running");
    info_.step_texts.clear();
    run_ = setup_.training.name + "-" + std::to_string(system_clock().wall()) + "-" +
           std::to_string(setup_.incarnation) + "." + std::to_string(info_.attempt);
    thread_.submit([this, runs = view.runs, owner = self_->address()] {
      auto target = caf::actor_cast<caf::actor>(owner);
      caf::anon_send(target, work(*runs, target));
    });
  }

  /// In the trainer's thread.
  [[nodiscard]] training_ended work(const runs_table& runs, const caf::actor& target) {
    training_ended out;
    auto bytes = load_dataset(setup_.dataset);
    if (!bytes) {
      out.failure = std::make_shared<error>(bytes.error());
      return out;
    }
    out.inputs = training_inputs(setup_.training, setup_.dataset, bytes->digest);
    std::string().swap(bytes->text); // the training reads the file for itself
    const auto* earlier = runs.completed(info_.training, out.inputs);
    if (earlier && setup_.files.contains(earlier->digest)) {
      out.reused = true;
      out.digest = earlier->digest;
      out.metrics = earlier->metrics;
      return out;
    }
    caf::anon_send(target, training_started{out.inputs});
    auto done = run_training(
        setup_.application, setup_.training, setup_.dataset, setup_.threads, cancelled_,
        [&](const training_progress& progress) { caf::anon_send(target, training_moved{progress}); },
        [&](const std::string& digest, const std::string& package) { return setup_.files.put(digest, package); });
    if (!done) {
      out.failure = std::make_shared<error>(done.error());
      return out;
    }
    out.digest = done->digest;
    out.metrics = done->metrics;
    return out;
  }

  /// A user ended it: for good, and no retry.
  void cancelled() {
    info_.cause = "cancelled by a user";
    if (!info_.progress.text.empty() || info_.progress.step != training_step::open)
      info_.cause += fmt::format(" in step {}/{} {}", static_cast<int>(info_.progress.step), training_steps,
                                 name_of(info_.progress.step));
    const auto at = system_clock().wall();
    std::vector<control_record> records;
    if (!run_.empty())
      records.emplace_back(run_failed{run_, info_.training, info_.attempt, true, info_.cause, at});
    records.emplace_back(event_noted{"training.cancelled", info_.training, info_.cause, at});
    tell_control(std::move(records));
    notify(training_event::kind::failed);
    logging::warning("training.cancelled", info_.cause, {{"actor", self_->record().address()}});
    self_->record().set_cause(info_.cause);
    info_.final_failure = errc::conflict; // a code at which the keeper does not start the process again
    set_state("cancelled");
  }

  void failed(const training_ended& message) {
    if (cancelled_)
      return;
    info_.cause = message.failure->text();
    const bool final = info_.attempt > setup_.training.retries || is_final(message.failure->code());
    const auto at = system_clock().wall();
    tell_control({run_failed{run_, info_.training, info_.attempt, final, info_.cause, at},
                  event_noted{"training.failed", info_.training, info_.cause, at}});
    notify(training_event::kind::failed);
    if (message.threw)
      return self_->fail(info_.cause);
    logging::error("training.failed", info_.cause, {{"actor", self_->record().address()}});
    self_->record().set_cause(info_.cause);
    if (final) {
      info_.final_failure = message.failure->code();
      return set_state("failed");
    }
    set_state("retrying");
    ++info_.attempt;
    self_->delayed_send(self_, setup_.training.retry_delay, wake{++timer_});
  }

  void register_run() {
    ask_again();
    if (const auto control = setup_.directory->handle(setup_.control))
      self_->send(control, *request_);
  }

  void ask_again() { self_->delayed_send(self_, ask_again_after, wake{++timer_}); }

  void tell_control(std::vector<control_record> records) {
    if (const auto control = setup_.directory->handle(setup_.control))
      caf::anon_send(control, append_control{std::move(records)});
  }

  void notify(training_event::kind what) {
    if (!setup_.webhook || setup_.training.webhook.empty())
      return;
    training_event event{what, info_.training, run_, info_.attempt, system_clock().wall(), {}, {}, {}};
    if (what == training_event::kind::failed)
      event.cause = info_.cause;
    if (what == training_event::kind::completed) {
      event.digest = info_.digest;
      event.metrics = info_.metrics;
    }
    setup_.webhook(setup_.training.webhook, webhook_body(event));
  }

  void set_state(const std::string& state) {
    info_.state = state;
    self_->record().set_state(state);
  }

  self_pointer self_;
  trainer_setup setup_;
  training_info info_;
  std::string run_;
  std::optional<record_run> request_; ///< sent to the control actor until it answers
  std::uint64_t timer_ = 0;
  std::atomic<bool> cancelled_{false};
  io_thread thread_; ///< last member: its job uses the others
};

} // namespace

caf::actor spawn_trainer(caf::actor_system& system, std::shared_ptr<actor_record> record, trainer_setup setup) {
  auto start = [setup = std::move(setup)](self_pointer self) -> caf::behavior {
    self->state.core = std::make_unique<trainer_core>(self, setup);
    auto* core = self->state.core.get();
    core->begin();
    return {
        [=](const training_started& m) { core->started(m); },
        [=](const training_moved& m) { core->moved(m); },
        [=](const training_ended& m) { core->ended(m); },
        [=](const run_recorded& m) { core->recorded(m); },
        [=](cancel_training) { return core->cancel(); },
        [=](const wake& m) { core->tick(m); },
        [=](describe) { return core->info(); },
        [=](stop_actor) { self->finish(); },
    };
  };
  return system.spawn<shell<trainer_state>>(std::move(record), std::move(start));
}

} // namespace penstock::actors
