// SPDX-License-Identifier: Apache-2.0
#include "tests/support/simulated_session_line.hpp"

#include <utility>

namespace penstock::test {

void session_line::open(storage::session_spec spec, std::string state_key) {
  calls_.emplace_back(opening{std::move(spec), std::move(state_key)});
}

std::optional<session_line::answer> session_line::step() {
  auto& call = calls_.front();
  if (auto* spec = std::get_if<opening>(&call)) {
    auto out = open_now(*spec);
    calls_.pop_front();
    return out;
  }
  if (std::holds_alternative<closing>(call)) {
    session_.reset();
    calls_.pop_front();
    return std::nullopt;
  }
  if (!session_) {
    calls_.pop_front();
    return storage::commit_result{storage::commit_outcome::in_doubt, "there is no session: a bug of the task"};
  }
  if (!under_way_)
    begin(std::move(std::get<storage::commit_request>(call)));
  auto ended = session_->advance();
  if (!ended)
    return std::nullopt;
  ledger_.entries[*std::exchange(under_way_, std::nullopt)].outcome = ended->outcome;
  calls_.pop_front();
  return *ended;
}

session_line::answer session_line::open_now(const opening& call) {
  session_.reset();
  auto made = log_.open_session(call.spec);
  if (!made)
    return made.error();
  session_.reset(static_cast<simulated_session*>(made->session.release()));
  opened out;
  out.epoch = session_->epoch();
  out.offsets = std::move(made->offsets);
  for (const auto& of : call.spec.states)
    out.state.push_back(*session_->read_state(of, call.state_key));
  return out;
}

void session_line::begin(storage::commit_request request) {
  under_way_ = ledger_.entries.size();
  auto& entry = ledger_.entries.emplace_back();
  for (auto& output : request.outputs) {
    storage::record_batch marked;
    for (std::size_t i = 0; i < output.records.size(); ++i) {
      const auto record = output.records[i];
      storage::header_bytes headers(record.headers);
      storage::add_header(headers, commit_ledger::header, std::to_string(*under_way_));
      marked.add(record.key, record.value, headers, record.timestamp);
    }
    entry.records += marked.size();
    output.records = std::move(marked);
  }
  session_->start(std::move(request));
}

void session_line::crash() {
  if (session_)
    session_->vanish();
  session_.reset();
  calls_.clear();
  under_way_.reset();
}

} // namespace penstock::test
