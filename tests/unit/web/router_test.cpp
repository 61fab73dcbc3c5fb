// SPDX-License-Identifier: Apache-2.0
#include "web/router.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace penstock;
using namespace penstock::web;

namespace {

http_request request(const std::string& method, const std::string& target) {
  http_request out;
  out.method = method;
  out.target = *parse_target(target);
  return out;
}

router three_routes() {
  router out;
  const auto nothing = [](const http_request&) { return http_response{}; };
  out.add("GET", "/v1/models/{model}", nothing);
  out.add("POST", "/v1/models/{model}:predict", nothing);
  out.add("GET", "/api/v1/actors/{address...}", nothing);
  return out;
}

TEST(router, captures_segments_suffixes_and_rests) {
  const auto routes = three_routes();
  auto plain = request("GET", "/v1/models/house");
  EXPECT_NE(routes.find(plain).run, nullptr);
  EXPECT_EQ(plain.captured["model"], "house");
  auto suffixed = request("POST", "/v1/models/house:predict");
  EXPECT_NE(routes.find(suffixed).run, nullptr);
  EXPECT_EQ(suffixed.captured["model"], "house");
  auto rest = request("GET", "/api/v1/actors/house/predictor/3");
  EXPECT_NE(routes.find(rest).run, nullptr);
  EXPECT_EQ(rest.captured["address"], "house/predictor/3");
}

TEST(router, answers_405_with_what_is_allowed) {
  auto wrong = request("GET", "/v1/models/house:predict");
  const auto found = three_routes().find(wrong);
  EXPECT_EQ(found.run, nullptr);
  EXPECT_EQ(found.refusal.status, 405);
  ASSERT_EQ(found.refusal.headers.size(), 1U);
  EXPECT_EQ(found.refusal.headers[0], (std::pair<std::string, std::string>{"Allow", "POST"}));
}

TEST(router, answers_404_in_the_form_of_the_area) {
  const auto routes = three_routes();
  auto api = request("GET", "/api/v1/nothing");
  const auto problem = routes.find(api).refusal;
  EXPECT_EQ(problem.status, 404);
  EXPECT_EQ(problem.content_type, "application/problem+json");
  EXPECT_EQ(nlohmann::json::parse(problem.body)["status"], 404);
  auto inference = request("GET", "/v1/nothing");
  EXPECT_TRUE(nlohmann::json::parse(routes.find(inference).refusal.body).contains("error"));
  auto page = request("GET", "/nothing");
  EXPECT_EQ(routes.find(page).refusal.content_type, "text/plain; charset=utf-8");
}

TEST(router, does_not_take_a_longer_shorter_or_empty_path_for_a_pattern) {
  const auto routes = three_routes();
  for (const char* path : {"/v1/models", "/v1/models/", "/v1/models/a/b", "/v1/models/:predict", "/api/v1/actors",
                           "/api/v1/actors/", "/V1/models/a"}) {
    auto each = request("GET", path);
    EXPECT_EQ(routes.find(each).refusal.status, 404) << path;
  }
}

} // namespace
