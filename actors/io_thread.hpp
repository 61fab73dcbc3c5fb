// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace penstock::actors {

/// One thread that does the blocking calls of one actor, in order: an actor's worker is never blocked by a log. Belongs
/// to an actor's state.
class io_thread {
public:
  /// @param name    at most 15 characters, seen in `top -H`
  /// @param failed  called in the thread with the text of an exception that a job let out
  io_thread(const std::string& name, std::function<void(const std::string&)> failed);
  ~io_thread();
  io_thread(const io_thread&) = delete;
  io_thread& operator=(const io_thread&) = delete;

  void submit(std::function<void()> job);
  /// Drops what has not begun, interrupts what has, waits for it. The destructor does the same.
  void stop();
  /// Called by `stop`, from its thread, so that a long wait inside a job ends early.
  void on_stop(std::function<void()> interrupt);

private:
  void run();

  std::function<void(const std::string&)> failed_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::function<void()>> jobs_;
  std::function<void()> interrupt_;
  bool stopping_ = false;
  std::thread thread_;
};

} // namespace penstock::actors
