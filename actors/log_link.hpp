// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/io_thread.hpp"
#include "actors/protocol.hpp"
#include "storage/log.hpp"

#include <caf/actor.hpp>

#include <memory>
#include <string>
#include <vector>

namespace penstock::actors {

/// One actor's session and reader, with a thread of their own for the blocking calls. Calls return at once; what they
/// find comes to the owner as messages (`session_opened`, `session_not_opened`, `batches_fetched`, `reader_failed`,
/// `commit_ended`, `io_failure`). Part of the owner's state: when the owner ends, the session is closed before its
/// supervisor hears of it, so a successor never meets its predecessor.
class log_link {
public:
  /// @param name  of the thread, at most 15 characters
  log_link(storage::log& log, caf::actor_addr owner, const std::string& name);
  ~log_link();

  /// Opens a session and reads the state of its partitions under `state_key`.
  void open(const storage::session_spec& spec, const std::string& state_key);
  void close();
  void assign(const std::vector<storage::position>& positions);
  void poll(std::uint64_t round, std::size_t max_records, std::size_t max_bytes);
  /// Interrupts a poll that is waiting.
  void commit(storage::commit_request request);
  /// Makes the request in the thread, then commits it.
  void commit(std::function<storage::commit_request()> make);
  /// Runs anything else in the thread.
  void submit(std::function<void()> job) { thread_.submit(std::move(job)); }

private:
  template <class T>
  void tell(T message);
  [[nodiscard]] status ready_reader();
  void open_now(const storage::session_spec& spec, const std::string& state_key);
  void poll_now(std::uint64_t round, std::size_t max_records, std::size_t max_bytes);
  void commit_now(const storage::commit_request& request);

  storage::log& log_;
  caf::actor_addr owner_;
  std::unique_ptr<storage::reader> reader_; ///< made before the thread starts; `wake` comes from the owner
  std::unique_ptr<storage::session> session_;
  io_thread thread_; ///< last member: it stops before what its jobs use is destroyed
};

} // namespace penstock::actors
