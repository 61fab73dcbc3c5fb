// SPDX-License-Identifier: Apache-2.0
#include "runtime/control_tables.hpp"

namespace penstock::runtime {

void runs_table::apply(std::int64_t offset, const control_record& command) {
  if (offset <= applied_)
    return;
  applied_ = offset;
  if (const auto* started = std::get_if<run_started>(&command))
    start(*started);
  else if (const auto* done = std::get_if<run_completed>(&command))
    complete(*done);
  else if (const auto* failed = std::get_if<run_failed>(&command))
    fail(*failed);
}

void runs_table::start(const run_started& command) {
  auto& of = runs_[command.run];
  if (of.state == state::completed)
    return;
  of = {};
  of.id = command.run;
  of.training = command.training;
  of.inputs = command.inputs;
  of.attempt = command.attempt;
  of.started = command.at;
}

void runs_table::complete(const run_completed& command) {
  auto& of = runs_[command.run];
  if (of.state == state::completed)
    return;
  of.id = command.run;
  of.training = command.training;
  of.inputs = command.inputs;
  of.state = state::completed;
  of.digest = command.digest;
  of.cause.clear();
  of.metrics = command.metrics;
  of.ended = command.at;
  completed_[{of.training, of.inputs}] = of.id;
}

void runs_table::fail(const run_failed& command) {
  auto& of = runs_[command.run];
  if (of.state == state::completed)
    return;
  of.id = command.run;
  of.training = command.training;
  of.attempt = command.attempt;
  of.state = state::failed;
  of.cause = command.cause;
  of.ended = command.at;
}

const runs_table::run* runs_table::completed(const std::string& training, const std::string& inputs) const {
  const auto at = completed_.find({training, inputs});
  return at == completed_.end() ? nullptr : &runs_.at(at->second);
}

} // namespace penstock::runtime
