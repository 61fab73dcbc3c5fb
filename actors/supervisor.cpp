// SPDX-License-Identifier: Apache-2.0
#include "actors/supervisor.hpp"

#include "base/logging.hpp"

#include <algorithm>

namespace penstock::actors {

namespace {

using self_pointer = shell<supervisor_state>*;
using runtime::supervision_action;

/// Shell of `supervision_policy`. It owns the order of things: stops first, and starts only when every stop has ended.
class supervisor {
public:
  supervisor(self_pointer self, supervision shared, supervision_observer observer)
      : self_(self), shared_(std::move(shared)), observer_(std::move(observer)) {}

  void declare(child what) {
    auto& state = self_->state;
    state.policy->add(what.spec, self_->clock().now());
    auto record = shared_.directory->enrol(what.spec.id, what.kind, self_->record().address(), what.stuck_after);
    state.slots.push_back({std::move(what), std::move(record), {}, false, 0});
  }

  void start_all() {
    for (auto& slot : self_->state.slots)
      start(slot);
    proceed();
  }

  void down(const caf::actor_addr& who, const caf::error& reason) {
    for (auto& slot : self_->state.slots) {
      if (!slot.handle || slot.handle.address() != who)
        continue;
      const bool was_stopping = slot.stopping;
      const bool normal = !reason || reason == caf::exit_reason::normal || reason == caf::exit_reason::user_shutdown;
      release(slot, normal ? "stopped" : "restarting");
      if (!normal && !was_stopping)
        ended(slot.what.spec.id, runtime::exit_kind::failure, cause_of(slot, reason));
      else if (!was_stopping && !self_->state.ending)
        ended(slot.what.spec.id, runtime::exit_kind::normal, "");
      proceed();
      return;
    }
  }

  void planned_start(const start_child& message) {
    auto* slot = find(message.id);
    if (slot && !slot->handle && slot->number == message.number && !self_->state.ending)
      start(*slot);
    proceed();
  }

  void overdue(const stop_overdue& message) {
    auto* slot = find(message.id);
    if (!slot || !slot->handle || !slot->stopping || slot->number != message.number)
      return;
    slot->record->set_cause("did not stop in time and was killed");
    self_->send_exit(slot->handle, caf::exit_reason::kill);
  }

  void restart_request(const restart_child& message) {
    if (const auto* slot = find(message.id); !slot || self_->state.ending)
      return;
    find(message.id)->record->set_cause(message.reason);
    carry_out(self_->state.policy->restart_requested(message.id, message.reason, self_->clock().now()));
    proceed();
  }

  /// Ends all children, last started first, then itself. Nobody waits for last commits once somebody has given up.
  void end(std::string escalation, bool at_once) {
    auto& state = self_->state;
    if (state.ending)
      return;
    state.ending = true;
    state.at_once = at_once;
    state.escalation = std::move(escalation);
    state.starts.clear();
    proceed();
  }

private:
  supervisor_state::slot* find(const std::string& id) {
    auto& slots = self_->state.slots;
    const auto it = std::ranges::find_if(slots, [&](const auto& slot) { return slot.what.spec.id == id; });
    return it == slots.end() ? nullptr : &*it;
  }

  static std::string cause_of(const supervisor_state::slot& slot, const caf::error& reason) {
    const auto text = slot.record->cause();
    return text.empty() ? caf::to_string(reason) : text;
  }

  void release(supervisor_state::slot& slot, const std::string& state) {
    self_->demonitor(slot.handle);
    slot.handle = nullptr;
    slot.stopping = false;
    ++slot.number;
    slot.record->gone(state);
  }

  void start(supervisor_state::slot& slot) {
    try {
      slot.handle = slot.what.make(slot.record);
    } catch (const std::exception& e) {
      slot.record->set_cause(e.what());
      ended(slot.what.spec.id, runtime::exit_kind::failure, e.what());
      return;
    }
    slot.record->born(slot.handle);
    self_->monitor(slot.handle);
    if (observer_.up)
      observer_.up(slot.what.spec.id);
  }

  void ended(const std::string& id, runtime::exit_kind how, const std::string& cause) {
    if (how == runtime::exit_kind::failure) {
      logging::warning("actor.failed", cause, {{"actor", id}});
      if (observer_.down)
        observer_.down(id, cause);
    }
    if (!self_->state.ending)
      carry_out(self_->state.policy->exited(id, how, cause, self_->clock().now()));
  }

  void carry_out(const std::vector<supervision_action>& actions) {
    for (const auto& action : actions) {
      switch (action.what) {
      case supervision_action::kind::stop:
        stop(action.child);
        break;
      case supervision_action::kind::start:
        self_->state.starts.push_back(action);
        break;
      case supervision_action::kind::forget:
        break;
      case supervision_action::kind::escalate:
        escalate(action.reason);
        return;
      }
    }
  }

  void stop(const std::string& id) {
    auto* slot = find(id);
    if (!slot || slot->stopping)
      return;
    if (!slot->handle) { // it waits for its start: that one is void, a new one follows
      ++slot->number;
      std::erase_if(self_->state.starts, [&](const auto& start) { return start.child == id; });
      return;
    }
    slot->stopping = true;
    self_->send(slot->handle, stop_actor{self_->state.at_once});
    self_->delayed_send(self_, slot->what.spec.stop_timeout, stop_overdue{id, ++slot->number});
  }

  void escalate(const std::string& reason) {
    logging::error("supervisor.escalated", reason, {{"actor", self_->record().address()}});
    if (shared_.note)
      shared_.note("supervisor.escalated", self_->record().address(), reason);
    end(reason, true);
  }

  /// Takes the next steps that are possible now: planned starts once no stop is under way, or the end.
  void proceed() {
    auto& state = self_->state;
    if (std::ranges::any_of(state.slots, [](const auto& slot) { return slot.stopping; }))
      return;
    if (state.ending)
      return end_next();
    while (!state.starts.empty()) {
      const auto action = state.starts.front();
      state.starts.pop_front();
      plan_start(action);
    }
  }

  void plan_start(const supervision_action& action) {
    auto* slot = find(action.child);
    if (!slot || slot->handle)
      return;
    shared_.restarts->fetch_add(1);
    if (const auto* known = self_->state.policy->find(action.child))
      slot->record->set_restarts(known->restarts);
    logging::info("actor.restarted", action.reason, {{"actor", action.child}});
    if (shared_.note)
      shared_.note("actor.restarted", action.child, action.reason);
    if (action.delay <= duration::zero())
      return start(*slot);
    self_->delayed_send(self_, action.delay, start_child{action.child, ++slot->number});
  }

  void end_next() {
    auto& slots = self_->state.slots;
    for (auto slot = slots.rbegin(); slot != slots.rend(); ++slot) {
      if (slot->handle)
        return stop(slot->what.spec.id);
    }
    if (self_->state.escalation.empty())
      self_->finish();
    else
      self_->fail(self_->state.escalation);
  }

  self_pointer self_;
  supervision shared_;
  supervision_observer observer_;
};

} // namespace

caf::actor spawn_supervisor(caf::actor_system& system, std::shared_ptr<actor_record> record,
                            const runtime::supervisor_spec& spec, const std::vector<child>& children,
                            const supervision& shared, const supervision_observer& observer) {
  auto start = [=](self_pointer self) -> caf::behavior {
    self->state.policy = std::make_unique<runtime::supervision_policy>(spec);
    auto core = std::make_shared<supervisor>(self, shared, observer);
    for (const auto& one : children)
      core->declare(one);
    self->set_down_handler([core](caf::down_msg& message) { core->down(message.source, message.reason); });
    core->start_all();
    return {
        [core](const stop_actor& message) { core->end("", message.at_once); },
        [core](const give_up& message) { core->end(message.cause, true); },
        [core](const start_child& message) { core->planned_start(message); },
        [core](const stop_overdue& message) { core->overdue(message); },
        [core](const restart_child& message) { core->restart_request(message); },
    };
  };
  return system.spawn<shell<supervisor_state>>(std::move(record), std::move(start));
}

child supervisor_child(caf::actor_system& system, const runtime::supervisor_spec& spec,
                       const std::vector<child>& children, const supervision& shared,
                       const supervision_observer& observer) {
  child out;
  out.spec.id = spec.id;
  out.spec.stop_timeout = std::chrono::seconds{5};
  out.kind = "supervisor";
  out.make = [&system, spec, children, shared, observer](std::shared_ptr<actor_record> record) {
    return spawn_supervisor(system, std::move(record), spec, children, shared, observer);
  };
  return out;
}

} // namespace penstock::actors
