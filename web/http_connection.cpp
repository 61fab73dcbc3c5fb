// SPDX-License-Identifier: Apache-2.0
#include "web/http_connection.hpp"

#include "base/clock.hpp"
#include "base/logging.hpp"
#include "web/error_response.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility> // Asio 1.74 needs it before itself in C++20

namespace penstock::web {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;

namespace {

/// How much of a refused body is still read, so that the client gets to see the answer instead of a reset.
constexpr std::size_t drain_bytes = 16 * 1024 * 1024;
constexpr auto drain_time = std::chrono::seconds(2);

std::chrono::milliseconds milliseconds(duration value) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(value);
}

/// `Text/HTML; charset=utf-8` → `text/html`.
std::string media_type(std::string_view text) {
  text = text.substr(0, text.find(';'));
  while (!text.empty() && text.back() == ' ')
    text.remove_suffix(1);
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string_view view(beast::string_view text) {
  return {text.data(), text.size()};
}

class connection : public std::enable_shared_from_this<connection> {
public:
  connection(http_site& site, asio::thread_pool& workers, tcp::socket socket, http_site::lease lease)
      : site_(site), workers_(workers), stream_(std::move(socket)), lease_(std::move(lease)) {}
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  ~connection() { site_.leave(stop_key_); }

  void start() {
    stop_key_ = site_.on_stop([this] {
      if (idle_)
        stream_.cancel();
    });
    idle_ = true;
    read_header(); // a new connection has the header's time, not the idle time: silence is no reason to hold a place
  }

private:
  // -- reading --------------------------------------------------------------

  void wait_for_request() {
    idle_ = true;
    if (buffer_.size() > 0) { // pipelined
      read_header();
      return;
    }
    stream_.expires_after(milliseconds(site_.settings.idle_time));
    stream_.async_read_some(buffer_.prepare(4096), [self = shared_from_this()](error_code failed, std::size_t count) {
      if (failed)
        return self->close();
      self->buffer_.commit(count);
      self->read_header();
    });
  }

  void read_header() {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(site_.settings.header_bytes));
    parser_->body_limit(site_.settings.body_bytes);
    stream_.expires_after(milliseconds(site_.settings.header_time));
    http::async_read_header(stream_, buffer_, *parser_, [self = shared_from_this()](error_code failed, std::size_t) {
      self->idle_ = false;
      self->started_ = system_clock().now();
      if (failed)
        return self->refuse(failed);
      self->read_body();
    });
  }

  void read_body() {
    const auto& header = parser_->get();
    if (header.version() < 10 || header.version() > 11)
      return answer_and_close(400, "only HTTP/1.0 and HTTP/1.1 are spoken here");
    const auto expect = header[http::field::expect];
    if (!expect.empty() && !beast::iequals(expect, "100-continue"))
      return answer_and_close(417, "only Expect: 100-continue is known");
    stream_.expires_after(milliseconds(site_.settings.body_time));
    if (expect.empty() || parser_->is_done())
      return read_rest();
    continue_.version(11);
    continue_.result(http::status::continue_);
    http::async_write(stream_, continue_, [self = shared_from_this()](error_code failed, std::size_t) {
      if (failed)
        return self->close();
      self->read_rest();
    });
  }

  void read_rest() {
    http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](error_code failed, std::size_t) {
      if (failed)
        return self->refuse(failed);
      self->handle();
    });
  }

  /// The bytes are no request, or too many, or too late.
  void refuse(const error_code& why) {
    if (why == http::error::header_limit || why == http::error::buffer_overflow)
      return answer_and_close(431, "the request header is too large");
    if (why == http::error::body_limit)
      return answer_and_close(413, "the request body is larger than " + std::to_string(site_.settings.body_bytes) +
                                       " bytes");
    if (why == beast::error::timeout)
      return close(); // the socket is closed already
    if (why == http::error::end_of_stream || why == http::error::partial_message ||
        why.category() != http::make_error_code(http::error::end_of_stream).category())
      return close();
    answer_and_close(400, "this is no well-formed HTTP/1.1 request: " + why.message());
  }

  // -- answering ------------------------------------------------------------

  void handle() {
    auto message = parser_->release();
    keep_alive_ = message.keep_alive();
    head_ = message.method() == http::verb::head;
    http_request request;
    request.method = head_ ? "GET" : std::string(message.method_string());
    request.content_type = media_type(view(message[http::field::content_type]));
    request.accept = std::string(message[http::field::accept]);
    request.body = std::move(message.body());
    auto target = parse_target(view(message.target()));
    pattern_ = "none";
    if (!target)
      return send(error_response(area::page, 400, target.error().text()));
    request.target = *std::move(target);
    auto found = site_.routes.find(request);
    if (found.run == nullptr)
      return send(std::move(found.refusal));
    pattern_ = found.pattern;
    if (found.where == runs::at_once)
      return send(call(*found.run, request));
    if (site_.waiting >= site_.settings.waiting)
      return send(error_response(area_of(request.target), 503, "too many requests are waiting; try again"));
    on_worker(*found.run, std::move(request));
  }

  void on_worker(const handler& run, http_request request) {
    ++site_.waiting;
    stream_.expires_never();
    // The guard keeps the server's thread from ending while it has nothing else to wait for.
    auto guard = asio::make_work_guard(stream_.get_executor());
    asio::post(workers_, [self = shared_from_this(), guard, &run, request = std::move(request)]() mutable {
      auto response = call(run, request);
      asio::post(guard.get_executor(), [self, response = std::move(response)]() mutable {
        --self->site_.waiting;
        self->send(std::move(response));
      });
    });
  }

  static http_response call(const handler& run, const http_request& request) {
    try {
      return run(request);
    } catch (const std::exception& e) {
      logging::error("http.handler_failed", e.what());
      return error_response(area_of(request.target), 500, "internal error");
    }
  }

  void answer_and_close(int status, const std::string& text) {
    pattern_ = "none";
    keep_alive_ = false;
    head_ = false;
    drain_ = true;
    send(error_response(area::page, status, text));
  }

  void send(http_response response) {
    site_.count(pattern_, response.status, system_clock().now() - started_);
    keep_alive_ = keep_alive_ && !site_.stopping();
    out_ = {};
    out_.version(11);
    out_.result(static_cast<unsigned>(response.status));
    out_.reason(reason_phrase(response.status));
    out_.set(http::field::server, "penstock");
    out_.set(http::field::content_type, response.content_type);
    out_.set(http::field::cache_control, "no-store");
    out_.set("X-Content-Type-Options", "nosniff");
    for (const auto& [name, value] : response.headers)
      out_.set(name, value);
    out_.keep_alive(keep_alive_);
    out_.content_length(response.body.size());
    if (!head_)
      out_.body() = std::move(response.body);
    serializer_.emplace(out_);
    stream_.expires_after(milliseconds(site_.settings.body_time));
    auto done = [self = shared_from_this()](error_code failed, std::size_t) { self->sent(failed); };
    if (head_)
      http::async_write_header(stream_, *serializer_, std::move(done));
    else
      http::async_write(stream_, *serializer_, std::move(done));
  }

  void sent(const error_code& failed) {
    if (failed)
      return close();
    if (keep_alive_)
      return wait_for_request();
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    if (!drain_)
      return close();
    stream_.expires_after(drain_time);
    drain();
  }

  void drain() {
    buffer_.clear();
    stream_.async_read_some(buffer_.prepare(64 * 1024), [self = shared_from_this()](error_code failed, std::size_t n) {
      self->drained_ += n;
      if (failed || self->drained_ > drain_bytes)
        return self->close();
      self->drain();
    });
  }

  void close() {
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
    stream_.close();
  }

  http_site& site_;
  asio::thread_pool& workers_;
  beast::tcp_stream stream_;
  http_site::lease lease_;
  std::uint64_t stop_key_ = 0;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::empty_body> continue_;
  http::response<http::string_body> out_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
  time_point started_{};
  std::string pattern_ = "none";
  std::size_t drained_ = 0;
  bool idle_ = false;
  bool keep_alive_ = false;
  bool head_ = false;
  bool drain_ = false;
};

} // namespace

http_site::http_site(const http_server_settings& wanted, metric_registry* counted)
    : settings(wanted), metrics_(counted) {}

http_site::lease http_site::admit(const std::string& address) {
  auto& here = per_address_[address];
  if (connections_ >= settings.connections || here >= settings.connections_per_address)
    return nullptr;
  ++here;
  ++connections_;
  return {&connections_, [this, address](void*) {
            --connections_;
            if (--per_address_[address] == 0)
              per_address_.erase(address);
          }};
}

void http_site::begin_stop() {
  stopping_ = true;
  for (auto& [key, call] : stops_)
    call();
}

std::uint64_t http_site::on_stop(std::function<void()> call) {
  stops_[next_key_] = std::move(call);
  return next_key_++;
}

void http_site::count(const std::string& pattern, int status, duration took) {
  if (metrics_ == nullptr)
    return;
  metrics_
      ->counter("penstock_http_requests_total", "Requests answered",
                {{"route", pattern}, {"code", std::to_string(status)}})
      .Increment();
  metrics_
      ->histogram("penstock_http_request_seconds", "Time from the request's header to its answer", {},
                  latency_buckets())
      .Observe(std::chrono::duration<double>(took).count());
}

void start_connection(http_site& site, asio::thread_pool& workers, tcp::socket socket, http_site::lease lease) {
  std::make_shared<connection>(site, workers, std::move(socket), std::move(lease))->start();
}

} // namespace penstock::web
