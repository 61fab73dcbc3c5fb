// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/actor_directory.hpp"

#include <caf/all.hpp>

#include <functional>
#include <memory>
#include <string>

namespace penstock::actors {

/// Base of every actor: counts what waits, what was handled and how long it took; feels the watchdog's pulse; turns an
/// exception into an end with a cause that people can read. Nothing of this is written again in an actor.
class observed_actor : public caf::event_based_actor {
public:
  observed_actor(caf::actor_config& cfg, std::shared_ptr<actor_record> record);

  void enqueue(caf::mailbox_element_ptr what, caf::execution_unit* host) override;
  caf::invoke_message_result consume(caf::mailbox_element& what) override;

  /// Ends this actor as failed; the text becomes its last cause.
  void fail(const std::string& cause);
  /// Ends this actor in an orderly way: its supervisor does not count it as a failure.
  void finish();
  [[nodiscard]] actor_record& record() { return *record_; }

private:
  std::shared_ptr<actor_record> record_;
  std::string fault_name_; ///< `actor.throw.<kind>`
};

/// True for failures that a restart cannot help, because a user must act first: the actor stays, failed, and says so.
[[nodiscard]] bool is_final(errc code);

/// An actor with a state, made from its record and a function that gives its behaviour. The state is destroyed when the
/// actor ends, before its supervisor hears of it.
template <class State>
class shell : public caf::stateful_actor<State, observed_actor> {
public:
  using start_function = std::function<caf::behavior(shell*)>;

  shell(caf::actor_config& cfg, std::shared_ptr<actor_record> record, start_function start)
      : caf::stateful_actor<State, observed_actor>(cfg, std::move(record)), start_(std::move(start)) {}

  caf::behavior make_behavior() override { return start_(this); }

private:
  start_function start_;
};

} // namespace penstock::actors
