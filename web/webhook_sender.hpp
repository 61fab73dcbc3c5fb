// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "base/units.hpp"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

namespace penstock::web {

struct webhook_settings {
  std::size_t queue = 64;                            ///< posts that wait; further ones are dropped and logged
  unsigned attempts = 4;                             ///< of one post
  duration backoff = std::chrono::milliseconds(500); ///< before the second attempt; doubles
  duration limit = std::chrono::seconds(5);          ///< of one attempt
  duration farewell = std::chrono::seconds(2);       ///< how long the destructor still tries
};

/// Posts JSON to webhooks from a thread of its own, in order, at most a few times each: news for people, not a
/// guarantee. A post that fails for good is logged. Nothing survives the process.
class webhook_sender {
public:
  explicit webhook_sender(webhook_settings settings = {});
  webhook_sender(const webhook_sender&) = delete;
  webhook_sender& operator=(const webhook_sender&) = delete;
  ~webhook_sender();

  /// Whether this URL can be posted to. `errc::configuration` names what is wrong: https is not spoken yet.
  [[nodiscard]] static status check(const std::string& url);

  /// Takes a post; never blocks. Any thread.
  void send(const std::string& url, const std::string& body);

private:
  struct post {
    std::string url;
    std::string body;
  };
  void work();
  void deliver(const post& what);

  webhook_settings settings_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<post> waiting_;
  bool stopping_ = false;
  std::chrono::steady_clock::time_point last_moment_{}; ///< once stopping
  std::thread thread_;                                  ///< from the first post on
};

} // namespace penstock::web
