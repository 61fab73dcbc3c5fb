// SPDX-License-Identifier: Apache-2.0
#include "actors/observed_actor.hpp"

#include "base/fault_point.hpp"
#include "base/logging.hpp"

#include <stdexcept>

namespace penstock::actors {

namespace {

std::int64_t steady_nanoseconds() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::string text_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "an exception that is no std::exception";
  }
}

} // namespace

observed_actor::observed_actor(caf::actor_config& cfg, std::shared_ptr<actor_record> record)
    : caf::event_based_actor(cfg), record_(std::move(record)), fault_name_("actor.throw." + record_->kind()) {
  set_exception_handler([this](caf::scheduled_actor*, std::exception_ptr& thrown) {
    record_->set_cause(text_of(thrown));
    record_->pulse.busy_since = 0;
    return caf::make_error(caf::sec::runtime_error);
  });
  set_default_handler([this](caf::scheduled_actor*, caf::message_view&) -> caf::result<caf::message> {
    logging::error("actor.message_refused", "a message that this actor does not know", {{"actor", record_->address()}});
    return caf::sec::unexpected_message;
  });
}

void observed_actor::enqueue(caf::mailbox_element_ptr what, caf::execution_unit* host) {
  record_->waiting.fetch_add(1, std::memory_order_relaxed);
  caf::event_based_actor::enqueue(std::move(what), host);
}

caf::invoke_message_result observed_actor::consume(caf::mailbox_element& what) {
  const auto begin = steady_nanoseconds();
  record_->pulse.busy_since.store(begin, std::memory_order_relaxed);
  if (auto left = record_->waiting.load(std::memory_order_relaxed); left > 0)
    record_->waiting.fetch_sub(1, std::memory_order_relaxed);
  current_element_ = &what; // CAF answers it when a handler throws
  if (fault(fault_name_))
    throw std::runtime_error("fault injected: " + fault_name_);
  auto outcome = caf::event_based_actor::consume(what);
  const auto end = steady_nanoseconds();
  record_->pulse.busy_since.store(0, std::memory_order_relaxed);
  record_->handled.fetch_add(1, std::memory_order_relaxed);
  record_->busy_ns.fetch_add(end - begin, std::memory_order_relaxed);
  record_->last_progress_ns.store(end, std::memory_order_relaxed);
  return outcome;
}

void observed_actor::fail(const std::string& cause) {
  record_->set_cause(cause);
  quit(caf::make_error(caf::sec::runtime_error));
}

void observed_actor::finish() {
  quit(caf::exit_reason::normal);
}

bool is_final(errc code) {
  switch (code) {
  case errc::not_found:
  case errc::conflict:
  case errc::invalid:
  case errc::permission:
  case errc::configuration:
    return true;
  default:
    return false;
  }
}

} // namespace penstock::actors
