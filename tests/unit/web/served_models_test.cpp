// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/web/stub_client.hpp"
#include "web/served_models.hpp"

#include <gtest/gtest.h>

using namespace penstock;
using namespace penstock::web;
using namespace std::chrono_literals;

namespace {

class hand_clock final : public penstock::clock {
public:
  time_point now() const override { return at; }
  wall_time wall() const override { return 0; }
  time_point at{};
};

struct served_models_test : testing::Test {
  stub_client client;
  hand_clock time;
  served_models models{client, time};

  void serve(std::uint64_t version) { client.models["boxes"] = sum_of("boxes", version, {feature("x")}); }
};

TEST_F(served_models_test, gives_a_new_version_once_the_kept_one_is_no_longer_fresh) {
  serve(1);
  ASSERT_EQ((*models.find("boxes"))->version, 1U);
  serve(2);
  EXPECT_EQ((*models.find("boxes"))->version, 1U);
  time.at += served_models::fresh;
  EXPECT_EQ((*models.find("boxes"))->version, 2U);
}

TEST_F(served_models_test, goes_on_serving_the_last_verified_model_when_the_node_fails) {
  serve(1);
  ASSERT_TRUE(models.find("boxes"));
  for (const auto code : {errc::unavailable, errc::timeout, errc::invalid, errc::not_found}) {
    client.broken = error(code, "store is gone");
    time.at += served_models::fresh;
    const auto found = models.find("boxes");
    ASSERT_TRUE(found);
    EXPECT_EQ((*found)->version, 1U);
  }
  client.broken.reset();
  serve(2);
  time.at += served_models::fresh;
  EXPECT_EQ((*models.find("boxes"))->version, 2U);
}

TEST_F(served_models_test, hands_out_the_kept_model_while_another_caller_asks) {
  serve(1);
  ASSERT_TRUE(models.find("boxes"));
  time.at += served_models::fresh;
  int calls = 0;
  client.on_call = [&] {
    if (++calls == 1) {
      EXPECT_EQ((*models.find("boxes"))->version, 1U) << "asked from inside the other caller's question";
    }
  };
  ASSERT_TRUE(models.find("boxes"));
  EXPECT_EQ(calls, 1);
}

TEST_F(served_models_test, says_why_when_there_never_was_a_model) {
  client.broken = error(errc::unavailable, "store is gone");
  EXPECT_EQ(models.find("boxes").error().code(), errc::unavailable);
}

TEST_F(served_models_test, names_the_nearest_model_for_an_unknown_one) {
  register_model(client, "boxes", 1);
  const auto found = models.find("boxs");
  EXPECT_EQ(found.error().code(), errc::not_found);
  EXPECT_NE(found.error().text().find("boxes"), std::string::npos);
}

} // namespace
