// SPDX-License-Identifier: Apache-2.0
#pragma once

// Inside of web/http_server: what one connection does, and what all connections share. Includes Asio, so only the
// server's two sources include it.

#include "web/http_server.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/thread_pool.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

namespace penstock::web {

/// What all connections of a server share. Belongs to the server's thread, except `routes`, which does not change while
/// it runs.
class http_site {
public:
  http_site(const http_server_settings& wanted, metric_registry* counted);

  http_server_settings settings;
  router routes;

  /// The right to hold one connection: gives its place back when it is destroyed.
  using lease = std::shared_ptr<void>;
  /// None when the server, or this address, holds as many connections as it may.
  [[nodiscard]] lease admit(const std::string& address);

  /// Closes what is idle; from now on every answer closes its connection.
  void begin_stop();
  [[nodiscard]] bool stopping() const { return stopping_; }
  /// Registers what `begin_stop` calls for a connection; returns the key to leave by.
  std::uint64_t on_stop(std::function<void()> call);
  void leave(std::uint64_t key) { stops_.erase(key); }

  /// Requests that wait for a worker or are in work there.
  std::size_t waiting = 0;

  void count(const std::string& pattern, int status, duration took);

private:
  metric_registry* metrics_;
  bool stopping_ = false;
  std::size_t connections_ = 0;
  std::map<std::string, std::size_t> per_address_;
  std::uint64_t next_key_ = 1;
  std::unordered_map<std::uint64_t, std::function<void()>> stops_;
};

/// Serves a connection until it ends. Returns at once.
void start_connection(http_site& site, boost::asio::thread_pool& workers, boost::asio::ip::tcp::socket socket,
                      http_site::lease lease);

} // namespace penstock::web
