// SPDX-License-Identifier: Apache-2.0
#include "web/http_server.hpp"

#include "base/logging.hpp"
#include "web/http_connection.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <fmt/format.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility> // Asio 1.74 needs it before itself in C++20

#include <sys/socket.h>

namespace penstock::web {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

namespace {

constexpr auto pause_after_failed_accept = std::chrono::milliseconds(100);

error bind_error(const http_server_settings& settings, const boost::system::error_code& why) {
  if (why == asio::error::address_in_use)
    return fail(errc::conflict,
                "HTTP port {} on {} is in use by another process; choose another with --http PORT (0 takes a free one)",
                settings.port, settings.address);
  if (why == asio::error::access_denied)
    return fail(errc::permission, "HTTP port {} on {} needs privileges; choose one above 1023 with --http PORT",
                settings.port, settings.address);
  return fail(errc::unavailable, "cannot listen on {} port {}: {}", settings.address, settings.port, why.message());
}

/// Says that the server is full, without ever waiting for the client.
void turn_away(tcp::socket& socket) {
  static constexpr std::string_view answer =
      "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n"
      "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 21\r\n\r\n"
      "too many connections\n";
  (void)::send(socket.native_handle(), answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  boost::system::error_code ignored;
  socket.shutdown(tcp::socket::shutdown_send, ignored);
}

} // namespace

struct http_server::content {
  explicit content(const http_server_settings& wanted, metric_registry* metrics) : site(wanted, metrics) {}

  void accept() {
    acceptor.async_accept([this](const boost::system::error_code& failed, tcp::socket socket) {
      if (!acceptor.is_open())
        return;
      if (!failed) {
        take(std::move(socket));
        accept();
        return;
      }
      // Out of file descriptors or memory: the connection stays in the backlog, so a pause keeps us from spinning.
      retry.expires_after(pause_after_failed_accept);
      retry.async_wait([this](const boost::system::error_code& cancelled) {
        if (!cancelled && acceptor.is_open())
          accept();
      });
    });
  }

  void take(tcp::socket socket) {
    boost::system::error_code gone;
    const auto peer = socket.remote_endpoint(gone);
    if (gone)
      return;
    const auto address = peer.address().to_string();
    auto lease = site.admit(address);
    if (!lease) {
      turn_away(socket);
      return;
    }
    socket.set_option(tcp::no_delay(true), gone);
    start_connection(site, *workers, std::move(socket), std::move(lease));
  }

  /// On the server's own thread.
  void close_port() {
    boost::system::error_code ignored;
    acceptor.close(ignored);
    retry.cancel();
    site.begin_stop();
  }

  http_site site;
  asio::io_context io{1};
  tcp::acceptor acceptor{io};
  asio::steady_timer retry{io};
  std::optional<asio::thread_pool> workers; ///< once it serves
  std::thread thread;
  std::uint16_t port = 0;
  std::mutex mutex;
  std::condition_variable ended;
  bool finished = false;
};

http_server::http_server(std::unique_ptr<content> c) : content_(std::move(c)) {}

http_server::~http_server() {
  stop(std::chrono::milliseconds(200));
}

result<std::unique_ptr<http_server>> http_server::listen(const http_server_settings& settings,
                                                         metric_registry* metrics) {
  boost::system::error_code failed;
  const auto address = asio::ip::make_address(settings.address, failed);
  if (failed || !address.is_loopback())
    return fail(errc::configuration,
                "HTTP address {} is not a loopback address; this server speaks plain HTTP without authentication and "
                "therefore listens on 127.0.0.1 or ::1 only",
                settings.address);
  auto made = std::make_unique<content>(settings, metrics);
  auto& acceptor = made->acceptor;
  const tcp::endpoint where(address, settings.port);
  acceptor.open(where.protocol(), failed);
  if (!failed)
    acceptor.set_option(asio::socket_base::reuse_address(true), failed);
  if (!failed)
    acceptor.bind(where, failed);
  if (!failed)
    acceptor.listen(asio::socket_base::max_listen_connections, failed);
  if (failed)
    return bind_error(settings, failed);
  made->port = acceptor.local_endpoint(failed).port();
  return std::unique_ptr<http_server>(new http_server(std::move(made)));
}

void http_server::serve(router routes) {
  content_->site.routes = std::move(routes);
  content_->workers.emplace(content_->site.settings.workers);
  content_->accept();
  content_->thread = std::thread([c = content_.get()] {
    c->io.run();
    const std::lock_guard lock(c->mutex);
    c->finished = true;
    c->ended.notify_all();
  });
}

std::uint16_t http_server::port() const {
  return content_->port;
}

void http_server::stop(duration limit) {
  auto& c = *content_;
  if (c.thread.joinable()) {
    asio::post(c.io, [&c] { c.close_port(); });
    {
      std::unique_lock lock(c.mutex);
      // Without a port and connections the thread runs out of work and ends.
      if (!c.ended.wait_for(lock, limit, [&] { return c.finished; }))
        c.io.stop();
    }
    c.thread.join();
  }
  boost::system::error_code ignored;
  c.acceptor.close(ignored);
  if (c.workers)
    c.workers->join();
}

} // namespace penstock::web
