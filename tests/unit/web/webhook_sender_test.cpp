// SPDX-License-Identifier: Apache-2.0
#include "web/http_server.hpp"
#include "web/webhook_sender.hpp"

#include <gtest/gtest.h>

#include <future>
#include <memory>

using namespace penstock;
using namespace penstock::web;
using namespace std::chrono_literals;

namespace {

/// A receiver that answers with these statuses in turn, then 200.
struct webhook_sender_test : testing::Test {
  std::unique_ptr<http_server> server;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> bodies;
  std::deque<int> statuses;

  void SetUp() override {
    http_server_settings settings;
    settings.port = 0;
    server = *http_server::listen(settings, nullptr);
    router routes;
    routes.add("POST", "/hook", [this](const http_request& request) {
      const std::lock_guard lock(mutex);
      bodies.push_back(request.body);
      changed.notify_all();
      http_response out;
      if (!statuses.empty()) {
        out.status = statuses.front();
        statuses.pop_front();
      }
      return out;
    });
    server->serve(std::move(routes));
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(server->port()) + "/hook"; }
  bool received(std::size_t count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, 20s, [&] { return bodies.size() >= count; });
  }
};

webhook_settings quick() {
  webhook_settings out;
  out.backoff = 1ms;
  return out;
}

TEST_F(webhook_sender_test, posts_in_order) {
  webhook_sender sender(quick());
  for (const char* body : {"1", "2", "3"})
    sender.send(url(), body);
  ASSERT_TRUE(received(3));
  EXPECT_EQ(bodies, (std::vector<std::string>{"1", "2", "3"}));
}

TEST_F(webhook_sender_test, tries_again_what_may_pass_and_not_what_cannot) {
  statuses = {503, 500, 200, 400, 200};
  webhook_sender sender(quick());
  sender.send(url(), "retried");
  sender.send(url(), "refused");
  sender.send(url(), "last");
  ASSERT_TRUE(received(5));
  EXPECT_EQ(bodies, (std::vector<std::string>{"retried", "retried", "retried", "refused", "last"}));
}

TEST_F(webhook_sender_test, gives_up_after_its_attempts) {
  statuses.assign(4, 503);
  webhook_sender sender(quick());
  sender.send(url(), "lost");
  sender.send(url(), "next");
  ASSERT_TRUE(received(5));
  EXPECT_EQ(bodies.back(), "next");
}

TEST_F(webhook_sender_test, delivers_what_waits_before_it_goes) {
  { webhook_sender(quick()).send(url(), "farewell"); }
  EXPECT_EQ(bodies, std::vector<std::string>{"farewell"});
}

TEST(webhook_sender, says_that_https_is_not_spoken) {
  EXPECT_TRUE(webhook_sender::check("http://127.0.0.1:9/x"));
  EXPECT_EQ(webhook_sender::check("https://example.org/x").error().code(), errc::configuration);
  EXPECT_EQ(webhook_sender::check("example.org").error().code(), errc::configuration);
}

} // namespace
