// SPDX-License-Identifier: Apache-2.0
#include "actors/log_link.hpp"

#include <chrono>

namespace penstock::actors {

namespace {

/// How long a poll waits for the first record. An append wakes it; this only bounds how stale "nothing there" may be.
constexpr auto poll_wait = std::chrono::milliseconds{500};

std::shared_ptr<error> shared(const error& why) {
  return std::make_shared<error>(why);
}

} // namespace

log_link::log_link(storage::log& log, caf::actor_addr owner, const std::string& name)
    : log_(log), owner_(std::move(owner)), thread_(name, [this](const std::string& text) { tell(io_failure{text}); }) {}

log_link::~log_link() {
  thread_.stop();
}

template <class T>
void log_link::tell(T message) {
  if (auto owner = caf::actor_cast<caf::actor>(owner_))
    caf::anon_send(owner, std::move(message));
}

void log_link::open(const storage::session_spec& spec, const std::string& state_key) {
  thread_.submit([this, spec, state_key] { open_now(spec, state_key); });
}

void log_link::open_now(const storage::session_spec& spec, const std::string& state_key) {
  session_.reset();
  auto opened = log_.open_session(spec);
  if (!opened)
    return tell(session_not_opened{shared(opened.error())});
  session_ = std::move(opened->session);
  session_opened answer{session_->epoch(), std::move(opened->offsets), {}};
  for (const auto& of : spec.states) {
    auto value = session_->read_state(of, state_key);
    if (!value)
      return tell(session_not_opened{shared(value.error())});
    answer.state.push_back(std::move(*value));
  }
  tell(std::move(answer));
}

void log_link::close() {
  thread_.submit([this] { session_.reset(); });
}

void log_link::assign(const std::vector<storage::position>& positions) {
  if (reader_)
    reader_->wake();
  if (auto made = ready_reader(); !made)
    return tell(reader_failed{shared(made.error())});
  thread_.submit([this, positions] {
    if (auto assigned = reader_->assign(positions); !assigned)
      tell(reader_failed{shared(assigned.error())});
  });
}

/// The reader is made on the owner's side, once: from then on the pointer never changes, so `wake` needs no lock.
status log_link::ready_reader() {
  if (reader_)
    return {};
  auto made = log_.open_reader();
  if (!made)
    return made.error();
  reader_ = std::move(*made);
  thread_.on_stop([reader = reader_.get()] { reader->wake(); });
  return {};
}

void log_link::poll(std::uint64_t round, std::size_t max_records, std::size_t max_bytes) {
  thread_.submit([this, round, max_records, max_bytes] { poll_now(round, max_records, max_bytes); });
}

void log_link::poll_now(std::uint64_t round, std::size_t max_records, std::size_t max_bytes) {
  auto found = reader_->poll(max_records, max_bytes, poll_wait);
  if (!found)
    return tell(reader_failed{shared(found.error())});
  tell(batches_fetched{round, std::make_shared<std::vector<storage::fetched>>(std::move(*found))});
}

void log_link::commit(storage::commit_request request) {
  commit([shared_request = std::make_shared<storage::commit_request>(std::move(request))] {
    return std::move(*shared_request);
  });
}

void log_link::commit(std::function<storage::commit_request()> make) {
  thread_.submit([this, make = std::move(make)] { commit_now(make()); });
  if (reader_)
    reader_->wake();
}

void log_link::commit_now(const storage::commit_request& request) {
  const auto begin = std::chrono::steady_clock::now();
  storage::commit_result outcome{storage::commit_outcome::in_doubt, "no session is open"};
  if (session_)
    outcome = session_->commit(request);
  tell(commit_ended{outcome, std::chrono::steady_clock::now() - begin});
}

} // namespace penstock::actors
