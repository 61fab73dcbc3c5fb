// SPDX-License-Identifier: Apache-2.0
#include "actors/io_thread.hpp"

#include <exception>

#include <pthread.h>

namespace penstock::actors {

io_thread::io_thread(const std::string& name, std::function<void(const std::string&)> failed)
    : failed_(std::move(failed)), thread_([this] { run(); }) {
  pthread_setname_np(thread_.native_handle(), name.substr(0, 15).c_str());
}

io_thread::~io_thread() {
  stop();
}

void io_thread::stop() {
  if (!thread_.joinable())
    return;
  std::function<void()> interrupt;
  {
    std::lock_guard lock{mutex_};
    stopping_ = true;
    jobs_.clear();
    interrupt = interrupt_;
  }
  ready_.notify_one();
  if (interrupt)
    interrupt();
  thread_.join();
}

void io_thread::submit(std::function<void()> job) {
  {
    std::lock_guard lock{mutex_};
    if (stopping_)
      return;
    jobs_.push_back(std::move(job));
  }
  ready_.notify_one();
}

void io_thread::on_stop(std::function<void()> interrupt) {
  std::lock_guard lock{mutex_};
  interrupt_ = std::move(interrupt);
}

void io_thread::run() {
  for (;;) {
    std::function<void()> job;
    {
      std::unique_lock lock{mutex_};
      ready_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (stopping_)
        return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    try {
      job();
    } catch (const std::exception& e) {
      failed_(e.what());
    }
  }
}

} // namespace penstock::actors
