// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/metric_registry.hpp"
#include "base/result.hpp"
#include "base/units.hpp"
#include "web/router.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace penstock::web {

struct http_server_settings {
  std::string address = "127.0.0.1";
  std::uint16_t port = 7780; ///< 0 = any that is free
  std::size_t header_bytes = 8 * 1024;
  std::size_t body_bytes = 1024 * 1024;
  std::size_t connections = 256;
  std::size_t connections_per_address = 64;
  duration header_time = std::chrono::seconds{5}; ///< from the first byte of a request (or the connect) to its header
  duration body_time = std::chrono::seconds{10};  ///< for the body, and for the client to take the answer
  duration idle_time = std::chrono::seconds{30};  ///< between two requests
  unsigned workers = 3;                           ///< threads for handlers that block
  std::size_t waiting = 128;                      ///< requests for a worker before new ones are answered 503
};

/// HTTP/1.1 over plain TCP, on loopback only. One thread moves bytes; handlers run on a few workers. Keep-alive and
/// pipelining are served in order; a connection has one request in work at a time, which bounds the memory.
///
/// Whoever sends too much gets 431 or 413 and is cut off; whoever sends too slowly, or nothing, is cut off.
class http_server {
public:
  /// Binds and listens, but accepts nothing yet: connections wait in the backlog until `serve`.
  /// `errc::configuration` for an address that is not loopback, `conflict` when the port is taken.
  /// @param metrics  requests, connections and times are counted there; may be null; outlives the server
  [[nodiscard]] static result<std::unique_ptr<http_server>> listen(const http_server_settings& settings,
                                                                   metric_registry* metrics);
  ~http_server();

  /// Starts the threads. Call once.
  void serve(router routes);
  /// The port it listens on.
  [[nodiscard]] std::uint16_t port() const;
  /// Closes the port and idle connections, lets requests in work finish, at most `limit`; then cuts what is left.
  void stop(duration limit);

private:
  struct content;
  explicit http_server(std::unique_ptr<content> c);
  std::unique_ptr<content> content_;
};

} // namespace penstock::web
