// SPDX-License-Identifier: Apache-2.0
#include "runtime/webhook.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace penstock::runtime {
namespace {

training_event event_of(enum training_event::kind what) {
  training_event event;
  event.what = what;
  event.training = "house-prices/house-prices";
  event.run = "run-1";
  event.attempt = 2;
  event.at = 1'700'000'000'123;
  event.cause = "disk \"full\"";
  event.digest = "ab12";
  event.metrics = {{"rmse", 0.5445}};
  return event;
}

TEST(webhook, tells_the_start_of_a_training_without_an_outcome) {
  EXPECT_EQ(webhook_body(event_of(training_event::kind::started)),
            R"({"event":"training.started","training":"house-prices/house-prices","run":"run-1","attempt":2,)"
            R"("at":"2023-11-14T22:13:20.123Z"})");
}

TEST(webhook, tells_a_completion_with_digest_and_metrics) {
  EXPECT_EQ(webhook_body(event_of(training_event::kind::completed)),
            R"({"event":"training.completed","training":"house-prices/house-prices","run":"run-1","attempt":2,)"
            R"("at":"2023-11-14T22:13:20.123Z","digest":"ab12","metrics":{"rmse":0.5445}})");
}

TEST(webhook, tells_a_failure_with_its_cause) {
  EXPECT_EQ(webhook_body(event_of(training_event::kind::failed)),
            R"({"event":"training.failed","training":"house-prices/house-prices","run":"run-1","attempt":2,)"
            R"("at":"2023-11-14T22:13:20.123Z","cause":"disk \"full\""})");
}

TEST(webhook, stays_json_whatever_the_cause_and_the_metrics_are) {
  auto event = event_of(training_event::kind::failed);
  event.cause = "bad \xff byte";
  EXPECT_NE(webhook_body(event).find("bad \xEF\xBF\xBD byte"), std::string::npos);
  event = event_of(training_event::kind::completed);
  event.metrics = {{"r2", std::numeric_limits<double>::quiet_NaN()}};
  EXPECT_NE(webhook_body(event).find(R"("metrics":{"r2":null})"), std::string::npos);
}

} // namespace
} // namespace penstock::runtime
