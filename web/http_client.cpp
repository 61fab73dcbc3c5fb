// SPDX-License-Identifier: Apache-2.0
#include "web/http_client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <charconv>
#include <optional>
#include <utility> // Asio 1.74 needs it before itself in C++20

namespace penstock::web {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using tcp = asio::ip::tcp;

namespace {

constexpr std::uint64_t largest_answer = std::uint64_t{64} << 20;

/// The steps of one exchange on an io_context of its own.
class exchange {
public:
  exchange(const http_address& to, const std::string& target, const std::string& body) : resolver_(io_), stream_(io_) {
    request_.version(11);
    request_.method(body.empty() ? http::verb::get : http::verb::post);
    request_.target(target);
    const bool v6 = to.host.find(':') != std::string::npos;
    request_.set(http::field::host, (v6 ? "[" + to.host + "]" : to.host) + ":" + std::to_string(to.port));
    request_.set(http::field::user_agent, "penstock");
    request_.set(http::field::connection, "close");
    if (!body.empty())
      request_.set(http::field::content_type, "application/json");
    request_.body() = body;
    request_.prepare_payload();
    parser_.body_limit(largest_answer);
    resolver_.async_resolve(to.host, std::to_string(to.port), [this](error_code failed, const auto& found) {
      if (!ended(failed, "resolve"))
        connect(found);
    });
  }

  /// False when the limit passed first.
  bool run(duration limit) {
    io_.run_for(std::chrono::duration_cast<std::chrono::milliseconds>(limit));
    return done_;
  }

  error_code failed_;
  const char* step_ = "";
  http::response_parser<http::string_body> parser_;

private:
  void connect(const tcp::resolver::results_type& found) {
    stream_.async_connect(found, [this](error_code failed, const tcp::endpoint&) {
      if (!ended(failed, "connect"))
        write();
    });
  }

  void write() {
    http::async_write(stream_, request_, [this](error_code failed, std::size_t) {
      // A server that refuses early closes while we still send: its answer counts.
      if (failed && failed != asio::error::broken_pipe && failed != asio::error::connection_reset)
        (void)ended(failed, "send");
      else
        read();
    });
  }

  void read() {
    http::async_read(stream_, buffer_, parser_, [this](error_code failed, std::size_t) {
      if (!ended(failed, "read the answer"))
        done_ = true;
    });
  }

  bool ended(const error_code& failed, const char* step) {
    if (!failed)
      return false;
    failed_ = failed;
    step_ = step;
    done_ = true;
    return true;
  }

  asio::io_context io_{1};
  tcp::resolver resolver_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
  bool done_ = false;
};

} // namespace

result<http_address> parse_http_url(std::string_view url) {
  constexpr std::string_view scheme = "http://";
  if (url.starts_with("https://"))
    return fail(errc::usage, "{}: https is not spoken here; use http://", url);
  if (!url.starts_with(scheme))
    return fail(errc::usage, "\"{}\" is not of the form http://host:port", url);
  std::string_view rest = url.substr(scheme.size());
  http_address out;
  const auto slash = rest.find_first_of("/?#");
  if (slash != std::string_view::npos) {
    out.path = rest.substr(slash);
    rest = rest.substr(0, slash);
  }
  const bool bracketed = rest.starts_with('[');
  const auto close = bracketed ? rest.find(']') : std::string_view::npos;
  const auto colon = bracketed ? rest.find(':', close == std::string_view::npos ? 0 : close) : rest.find(':');
  out.host = bracketed ? rest.substr(1, close - 1) : rest.substr(0, colon);
  if (colon != std::string_view::npos) {
    const auto port = rest.substr(colon + 1);
    const auto [end, wrong] = std::from_chars(port.data(), port.data() + port.size(), out.port);
    if (wrong != std::errc{} || end != port.data() + port.size() || out.port == 0)
      return fail(errc::usage, "\"{}\": \"{}\" is no port", url, port);
  }
  if (out.host.empty() || rest.find('@') != std::string_view::npos || (bracketed && close == std::string_view::npos))
    return fail(errc::usage, "\"{}\" is not of the form http://host:port", url);
  return out;
}

result<http_answer> http_exchange(const http_address& to, const std::string& target, const std::string& body,
                                  duration limit) {
  exchange talk(to, target, body);
  const auto where = fmt::format("http://{}:{}", to.host, to.port);
  if (!talk.run(limit))
    return fail(errc::timeout, "{} did not answer within {}", where, format_duration(limit));
  if (talk.failed_ == http::error::body_limit)
    return fail(errc::invalid, "{} answers with more than {}", where, format_size(largest_answer));
  if (talk.failed_ && talk.failed_.category() == http::make_error_code(http::error::bad_version).category() &&
      talk.failed_ != http::error::end_of_stream && talk.failed_ != http::error::partial_message)
    return fail(errc::invalid, "{} does not answer in HTTP: {}", where, talk.failed_.message());
  if (talk.failed_)
    return fail(errc::unavailable, "{}: cannot {}: {}", where, talk.step_, talk.failed_.message());
  auto message = talk.parser_.release();
  return http_answer{static_cast<int>(message.result_int()), std::string(message[http::field::content_type]),
                     std::move(message.body())};
}

} // namespace penstock::web
