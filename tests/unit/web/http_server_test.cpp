// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/web/raw_socket.hpp"
#include "web/http_client.hpp"
#include "web/http_server.hpp"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <thread>
#include <vector>

using namespace penstock;
using namespace penstock::web;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view last_get = "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

struct http_server_test : testing::Test {
  std::promise<void> gate;
  std::shared_future<void> opened = gate.get_future().share();
  std::atomic<int> at_gate{0};
  std::unique_ptr<http_server> server; ///< ends before what its handlers use

  void start(http_server_settings settings = {}) {
    settings.port = 0;
    auto made = http_server::listen(settings, nullptr);
    ASSERT_TRUE(made) << made.error().text();
    server = *std::move(made);
    router routes;
    routes.add("GET", "/echo", [](const http_request& r) {
      return http_response{200, "text/plain", "[" + r.target.parameter("q").value_or("") + "]", {}};
    });
    routes.add("POST", "/echo", [](const http_request& r) {
      return http_response{200, "text/plain", "<" + r.body + ">", {}};
    });
    routes.add("GET", "/gate", [this](const http_request&) {
      ++at_gate;
      opened.wait();
      return http_response{200, "text/plain", "through", {}};
    });
    routes.add("GET", "/throw", [](const http_request&) -> http_response { throw std::runtime_error("secret"); });
    routes.add(
        "GET", "/livez",
        [](const http_request&) {
          return http_response{200, "text/plain", "ok", {}};
        },
        runs::at_once);
    server->serve(std::move(routes));
  }
  void wait_at_gate(int count) const {
    while (at_gate < count)
      std::this_thread::yield();
  }
  std::string all(std::string_view request) const {
    raw_socket to(server->port());
    EXPECT_TRUE(to.send(request));
    return to.read_all();
  }
};

bool begins(const std::string& answer, const std::string& status) {
  return answer.starts_with("HTTP/1.1 " + status);
}

TEST_F(http_server_test, answers_several_requests_on_one_connection_in_their_order) {
  start();
  raw_socket to(server->port());
  std::string requests;
  for (int i = 0; i < 20; ++i)
    requests += "GET /echo?q=" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
  ASSERT_TRUE(to.send(requests));
  for (int i = 0; i < 20; ++i)
    EXPECT_TRUE(begins(to.read_until("[" + std::to_string(i) + "]"), "200")) << i;
}

TEST_F(http_server_test, takes_a_body_after_100_continue) {
  start();
  raw_socket to(server->port());
  ASSERT_TRUE(to.send("POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"));
  EXPECT_TRUE(begins(to.read_until("\r\n\r\n"), "100"));
  ASSERT_TRUE(to.send("abc"));
  EXPECT_NE(to.read_until("<abc>").find("<abc>"), std::string::npos);
}

TEST_F(http_server_test, takes_a_chunked_body) {
  start();
  const auto answer = all("POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
                          "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_TRUE(answer.ends_with("<abcde>")) << answer;
}

TEST_F(http_server_test, answers_head_without_a_body) {
  start();
  const auto answer = all("HEAD /echo?q=abc HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(begins(answer, "200"));
  EXPECT_NE(answer.find("Content-Length: 5"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST_F(http_server_test, refuses_two_lengths_in_one_request) {
  start();
  for (const char* lengths :
       {"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
        "Content-Length: 3\r\nContent-Length: 4\r\n", "Content-Length: -1\r\n", "Content-Length: 3x\r\n"}) {
    const auto answer = all("POST /echo HTTP/1.1\r\nHost: x\r\n" + std::string(lengths) + "\r\n0\r\n\r\n");
    EXPECT_TRUE(begins(answer, "400")) << lengths << answer;
  }
}

TEST_F(http_server_test, refuses_a_header_beyond_its_limit) {
  start();
  const auto answer = all("GET /echo HTTP/1.1\r\nHost: x\r\nX-Long: " + std::string(20'000, 'a') + "\r\n\r\n");
  EXPECT_TRUE(begins(answer, "431")) << answer;
}

TEST_F(http_server_test, refuses_a_body_beyond_its_limit_before_it_comes_and_while_it_comes) {
  http_server_settings settings;
  settings.body_bytes = 1000;
  start(settings);
  raw_socket early(server->port());
  ASSERT_TRUE(early.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"));
  EXPECT_TRUE(begins(early.read_until("\r\n\r\n"), "413"));
  std::string chunks = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 100; ++i)
    chunks += "64\r\n" + std::string(100, 'b') + "\r\n";
  raw_socket late(server->port());
  ASSERT_TRUE(late.send(chunks));
  EXPECT_TRUE(begins(late.read_until("\r\n\r\n"), "413"));
}

TEST_F(http_server_test, refuses_targets_that_are_no_clean_path) {
  start();
  for (const char* target :
       {"/../etc/passwd", "/%2e%2e/etc/passwd", "/echo/%zz", "/echo?q=%f", "http://other/echo", "*"})
    EXPECT_TRUE(begins(all("GET " + std::string(target) + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), "400"))
        << target;
}

TEST_F(http_server_test, refuses_bytes_that_are_no_http) {
  start();
  EXPECT_TRUE(begins(all("\x16\x03\x01 hello\r\n\r\n"), "400"));
  EXPECT_TRUE(begins(all("GET /echo HTTP/2.0\r\nHost: x\r\n\r\n"), "400"));
  EXPECT_TRUE(begins(all(last_get), "200"));
}

TEST_F(http_server_test, cuts_off_a_header_that_comes_too_slowly) {
  http_server_settings settings;
  settings.header_time = 50ms;
  start(settings);
  raw_socket silent(server->port());
  raw_socket slow(server->port());
  ASSERT_TRUE(slow.send("GET /echo HTTP/1.1\r\nHo"));
  EXPECT_EQ(silent.read_all(), "");
  EXPECT_EQ(slow.read_all(), "");
}

TEST_F(http_server_test, cuts_off_an_idle_connection_and_a_body_that_does_not_come) {
  http_server_settings settings;
  settings.idle_time = 50ms;
  settings.body_time = 50ms;
  start(settings);
  raw_socket idle(server->port());
  ASSERT_TRUE(idle.send("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_TRUE(idle.read_all().ends_with("[]"));
  raw_socket body(server->port());
  ASSERT_TRUE(body.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"));
  EXPECT_EQ(body.read_all(), "");
}

TEST_F(http_server_test, turns_connections_beyond_the_limit_away_and_takes_them_again_later) {
  http_server_settings settings;
  settings.connections_per_address = 4;
  start(settings);
  {
    std::vector<std::unique_ptr<raw_socket>> held;
    for (int i = 0; i < 4; ++i) {
      held.push_back(std::make_unique<raw_socket>(server->port()));
      ASSERT_TRUE(held.back()->send("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"));
      ASSERT_TRUE(begins(held.back()->read_until("[]"), "200"));
    }
    raw_socket more(server->port());
    const auto answer = more.read_all();
    EXPECT_TRUE(begins(answer, "503")) << answer;
    EXPECT_NE(answer.find("Retry-After: 1"), std::string::npos);
  }
  // The server learns of the closed connections in its own time.
  std::string answer;
  for (int i = 0; i < 10'000 && !begins(answer, "200"); ++i)
    answer = [&] {
      raw_socket to(server->port());
      return to.send(last_get) ? to.read_all() : "";
    }();
  EXPECT_TRUE(begins(answer, "200")) << answer;
}

TEST_F(http_server_test, answers_at_once_what_must_be_while_every_worker_is_busy) {
  http_server_settings settings;
  settings.workers = 2;
  settings.waiting = 3;
  start(settings);
  std::vector<std::unique_ptr<raw_socket>> held;
  for (int i = 0; i < 3; ++i) {
    held.push_back(std::make_unique<raw_socket>(server->port()));
    ASSERT_TRUE(held.back()->send("GET /gate HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    wait_at_gate(std::min(i + 1, 2));
  }
  EXPECT_TRUE(begins(all("GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), "200"));
  std::string refused;
  while (!begins(refused, "503")) { // the third request may still be on its way into the queue
    held.push_back(std::make_unique<raw_socket>(server->port()));
    ASSERT_TRUE(held.back()->send("GET /gate HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    if (held.size() > 4)
      refused = held.back()->read_all();
  }
  EXPECT_NE(refused.find("Retry-After"), std::string::npos);
  gate.set_value();
  EXPECT_TRUE(held[0]->read_all().ends_with("through"));
}

TEST_F(http_server_test, hides_what_a_handler_threw) {
  start();
  const auto answer = all("GET /throw HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(begins(answer, "500"));
  EXPECT_EQ(answer.find("secret"), std::string::npos);
}

TEST_F(http_server_test, finishes_what_is_in_work_when_it_stops_and_closes_what_is_idle) {
  start();
  raw_socket idle(server->port());
  ASSERT_TRUE(idle.send("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"));
  ASSERT_TRUE(begins(idle.read_until("[]"), "200"));
  raw_socket busy(server->port());
  ASSERT_TRUE(busy.send("GET /gate HTTP/1.1\r\nHost: x\r\n\r\n"));
  wait_at_gate(1);
  std::thread stopper([this] { server->stop(20s); });
  EXPECT_EQ(idle.read_all(), "");
  gate.set_value();
  const auto answer = busy.read_all();
  EXPECT_TRUE(begins(answer, "200") && answer.ends_with("through")) << answer;
  stopper.join();
  EXPECT_FALSE(raw_socket(server->port()).connected());
}

TEST(http_server, refuses_every_address_but_loopback) {
  for (const char* address : {"0.0.0.0", "10.0.0.1", "::", "example.org", ""}) {
    http_server_settings settings;
    settings.address = address;
    settings.port = 0;
    EXPECT_EQ(http_server::listen(settings, nullptr).error().code(), errc::configuration) << address;
  }
}

TEST(http_server, names_a_port_that_is_taken_and_the_way_out) {
  http_server_settings settings;
  settings.port = 0;
  const auto first = http_server::listen(settings, nullptr);
  ASSERT_TRUE(first);
  settings.port = (*first)->port();
  const auto second = http_server::listen(settings, nullptr);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), errc::conflict);
  EXPECT_NE(second.error().text().find(std::to_string(settings.port)), std::string::npos);
  EXPECT_NE(second.error().text().find("--http"), std::string::npos);
}

TEST_F(http_server_test, is_reached_by_the_client) {
  start();
  const http_address to{"127.0.0.1", server->port(), ""};
  const auto got = http_exchange(to, "/echo?q=x", "", 20s);
  ASSERT_TRUE(got) << got.error().text();
  EXPECT_EQ(got->body, "[x]");
  EXPECT_EQ(http_exchange(to, "/echo", "{}", 20s)->body, "<{}>");
  EXPECT_EQ(http_exchange(to, "/nowhere", "", 20s)->status, 404);
  server->stop(20s);
  EXPECT_EQ(http_exchange(to, "/echo", "", 20s).error().code(), errc::unavailable);
}

TEST_F(http_server_test, lets_the_client_give_up_in_time) {
  start();
  EXPECT_EQ(http_exchange({"127.0.0.1", server->port(), ""}, "/gate", "", 50ms).error().code(), errc::timeout);
  gate.set_value();
}

TEST(http_client, reads_urls) {
  const auto plain = parse_http_url("http://localhost:81/a?b");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->host, "localhost");
  EXPECT_EQ(plain->port, 81);
  EXPECT_EQ(plain->path, "/a?b");
  EXPECT_EQ(parse_http_url("http://[::1]:7780")->host, "::1");
  EXPECT_EQ(parse_http_url("http://h")->port, 80);
  for (const char* bad : {"", "h:1", "https://h", "http://", "http://h:0", "http://h:x", "http://h:99999", "http://u@h",
                          "http://[::1", "ftp://h"})
    EXPECT_EQ(parse_http_url(bad).error().code(), errc::usage) << bad;
}

} // namespace
