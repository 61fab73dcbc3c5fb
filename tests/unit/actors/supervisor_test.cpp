// SPDX-License-Identifier: Apache-2.0
#include "actors/supervisor.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stdexcept>

namespace penstock::actors {

struct poke {};

} // namespace penstock::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penstock::actors::poke)

namespace penstock::actors {
namespace {

using namespace std::chrono_literals;

struct nothing {};

/// A supervisor over two children that throw when poked, on a real actor system.
class supervisor_test : public ::testing::Test {
protected:
  supervisor_test() {
    config_.set("scheduler.policy", caf::atom("sharing"));
    config_.set("scheduler.max-threads", std::size_t{2});
    system_ = std::make_unique<caf::actor_system>(config_);
  }

  ~supervisor_test() override {
    if (root_)
      caf::anon_send(root_, stop_actor{});
    EXPECT_TRUE(ended_within(5s));
    root_ = nullptr;
    directory_.release_handles();
    system_.reset();
  }

  child throwing_child(const std::string& id) {
    child out;
    out.spec.id = id;
    out.kind = "test";
    out.make = [this](std::shared_ptr<actor_record> record) {
      return system_->spawn<shell<nothing>>(std::move(record), [](shell<nothing>* self) -> caf::behavior {
        return {[](poke) { throw std::runtime_error("poked"); }, [self](stop_actor) { self->finish(); }};
      });
    };
    return out;
  }

  void start(runtime::supervisor_spec spec) {
    spec.id = "root";
    auto record = directory_.enrol("root", "supervisor", "", 30s);
    root_ = spawn_supervisor(*system_, record, std::move(spec), {throwing_child("a"), throwing_child("b")},
                             {&directory_, &restarts_, {}});
    record->born(root_);
    root_->attach_functor([this](const caf::error&) {
      std::lock_guard lock{mutex_};
      ended_ = true;
      changed_.notify_all();
    });
    ASSERT_TRUE(wait_for([this] { return directory_.handle("b") != nullptr; }));
  }

  template <class Condition>
  bool wait_for(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline)
        return false;
      std::this_thread::yield();
    }
    return true;
  }

  bool ended_within(duration limit) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, limit, [this] { return ended_; });
  }

  std::uint64_t incarnation(const std::string& id) { return directory_.find(id)->incarnation(); }

  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  actor_directory directory_;
  std::atomic<std::uint64_t> restarts_{0};
  caf::actor root_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;
};

TEST_F(supervisor_test, starts_a_child_that_threw_again_under_its_address_and_tells_the_cause) {
  start({});
  caf::anon_send(directory_.handle("a"), poke{});
  ASSERT_TRUE(wait_for([&] { return incarnation("a") == 2; }));
  EXPECT_EQ(incarnation("b"), 1u);
  EXPECT_EQ(directory_.find("a")->cause(), "poked");
  EXPECT_EQ(restarts_, 1u);
  EXPECT_EQ(directory_.find("a")->info(std::chrono::steady_clock::now()).restarts, 1u);
}

TEST_F(supervisor_test, restarts_the_children_that_started_later_under_rest_for_one) {
  runtime::supervisor_spec spec;
  spec.strategy = runtime::strategy::rest_for_one;
  start(spec);
  caf::anon_send(directory_.handle("b"), poke{});
  ASSERT_TRUE(wait_for([&] { return incarnation("b") == 2; }));
  EXPECT_EQ(incarnation("a"), 1u);
  ASSERT_TRUE(wait_for([&] { return directory_.handle("a") != nullptr; }));
  caf::anon_send(directory_.handle("a"), poke{});
  ASSERT_TRUE(wait_for([&] { return incarnation("b") == 3 && incarnation("a") == 2; }));
}

TEST_F(supervisor_test, ends_as_failed_with_the_cause_when_the_intensity_is_exceeded) {
  runtime::supervisor_spec spec;
  spec.intensity = 2;
  start(spec);
  for (std::uint64_t i = 1; i <= 3; ++i) {
    ASSERT_TRUE(wait_for([&] { return incarnation("a") == i && directory_.handle("a"); }));
    caf::anon_send(directory_.handle("a"), poke{});
  }
  ASSERT_TRUE(ended_within(10s));
  EXPECT_NE(directory_.find("root")->cause().find("poked"), std::string::npos) << directory_.find("root")->cause();
  EXPECT_FALSE(directory_.handle("b"));
}

TEST_F(supervisor_test, replaces_a_child_on_request_without_using_up_intensity) {
  runtime::supervisor_spec spec;
  spec.intensity = 1;
  start(spec);
  for (std::uint64_t i = 2; i <= 5; ++i) {
    caf::anon_send(root_, restart_child{"a", "golden row differs"});
    ASSERT_TRUE(wait_for([&] { return incarnation("a") == i && directory_.handle("a"); }));
  }
  EXPECT_FALSE(ended_within(1ms));
  EXPECT_EQ(directory_.find("a")->cause(), "golden row differs");
}

} // namespace
} // namespace penstock::actors
