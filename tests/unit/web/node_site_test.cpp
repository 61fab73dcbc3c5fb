// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/web/stub_client.hpp"
#include "web/node_site.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace penstock;
using namespace penstock::web;
using nlohmann::json;

namespace {

struct node_site_test : testing::Test {
  stub_client client;
  router site = node_site(client, "alpha");

  node_site_test() {
    client.info.application = "boxes";
    client.info.ready = true;
    actors::shard_info shard;
    shard.name = "boxes/shard/0";
    shard.stream = "boxes/packing";
    shard.partitions.push_back({{"in", 0}, 7, 9, {.records = 6, .dead_letters = 1}});
    client.info.shards = {shard};
    client.known_actors = {an_actor("boxes/predictor/0", "predictor", "out of paint"),
                           an_actor("boxes/shard/0", "shard")};
    client.known_topics = {a_topic("in", {{2, 5}, {0, 0}})};
    auto& batch = client.records[{"in", 0}];
    batch.add("a", "{\"x\": 1}", storage::encode_headers({{"model", "m"}}), 11, 2);
    batch.add("\xff", "\xfe", "", 12, 3);
    batch.add_tombstone("c", "", 13, 4);
  }

  http_response ask(const std::string& method, const std::string& target, const std::string& body = "",
                    const std::string& type = "application/json") {
    http_request request;
    request.method = method;
    request.target = *parse_target(target);
    request.body = body;
    request.content_type = type;
    const auto found = site.find(request);
    return found.run == nullptr ? found.refusal : (*found.run)(request);
  }
  json get(const std::string& target) {
    const auto answer = ask("GET", target);
    EXPECT_EQ(answer.status, 200) << target << answer.body;
    return json::parse(answer.body);
  }
  void serve_boxes() {
    client.models["boxes"] = sum_of("boxes", 4, {feature("width"), feature("height")});
    register_model(client, "boxes", 4);
  }
};

std::string header(const http_response& of, const std::string& name) {
  for (const auto& [key, value] : of.headers)
    if (key == name)
      return value;
  return "";
}

TEST_F(node_site_test, lives_always_and_is_ready_only_when_the_node_is) {
  EXPECT_EQ(ask("GET", "/readyz").status, 200);
  EXPECT_EQ(get("/health")["status"], "ok");
  client.info.ready = false;
  EXPECT_EQ(ask("GET", "/readyz").status, 503);
  EXPECT_EQ(header(ask("GET", "/health"), "Retry-After"), "1");
  client.broken = error(errc::timeout, "no answer");
  EXPECT_EQ(ask("GET", "/readyz").status, 503);
  EXPECT_EQ(ask("GET", "/livez").status, 200);
  EXPECT_EQ(ask("GET", "/version").status, 200);
}

TEST_F(node_site_test, lists_every_noun) {
  for (const char* noun :
       {"nodes", "actors", "shards", "sources", "trainings", "topics", "models", "runs", "events", "dead-letters"})
    EXPECT_TRUE(get("/api/v1/" + std::string(noun))["items"].is_array()) << noun;
  EXPECT_EQ(get("/api/v1/node")["name"], "alpha");
}

TEST_F(node_site_test, tells_figures_of_a_partition_beside_its_number) {
  const auto partition = get("/api/v1/shards")["items"][0]["partitions"][0];
  EXPECT_EQ(partition["partition"], 0);
  EXPECT_EQ(partition["committed"], 7);
  EXPECT_EQ(partition["metrics"]["records"], 6);
  EXPECT_EQ(partition["metrics"]["dead_letters"], 1);
}

TEST_F(node_site_test, finds_an_actor_by_its_address_and_names_the_nearest_otherwise) {
  EXPECT_EQ(get("/api/v1/actors/boxes/predictor/0")["last_cause"], "out of paint");
  EXPECT_EQ(get("/api/v1/actors/boxes%2Fpredictor%2F0")["kind"], "predictor");
  const auto none = ask("GET", "/api/v1/actors/boxes/predicter/0");
  EXPECT_EQ(none.status, 404);
  EXPECT_EQ(none.content_type, "application/problem+json");
  EXPECT_NE(json::parse(none.body)["detail"].get<std::string>().find("boxes/predictor/0"), std::string::npos);
}

TEST_F(node_site_test, gives_records_with_their_exact_bytes) {
  const auto found = get("/api/v1/topics/in/records?partition=0");
  ASSERT_EQ(found["items"].size(), 3U);
  EXPECT_EQ(found["items"][0]["value"], "{\"x\": 1}");
  EXPECT_EQ(found["items"][0]["headers"]["model"], "m");
  EXPECT_EQ(found["items"][1]["key_base64"], "/w==");
  EXPECT_EQ(found["items"][1]["value_base64"], "/g==");
  EXPECT_TRUE(found["items"][2]["value"].is_null());
  EXPECT_EQ(found["next"], 5);
  EXPECT_EQ(found["end"], 5);
  EXPECT_EQ(get("/api/v1/topics/in/records?offset=5")["items"].size(), 0U);
  EXPECT_EQ(get("/api/v1/topics/in/records?offset=3&limit=1")["items"][0]["offset"], 3);
}

TEST_F(node_site_test, refuses_partitions_and_offsets_that_cannot_be) {
  for (const char* query : {"partition=2", "partition=-1", "offset=x", "limit=0", "limit=1001"})
    EXPECT_EQ(ask("GET", "/api/v1/topics/in/records?" + std::string(query)).status, 400) << query;
  EXPECT_EQ(ask("GET", "/api/v1/topics/on/records").status, 404);
}

TEST_F(node_site_test, lists_dead_letters_of_every_stream_or_of_one) {
  client.letters["packing"] = {{{"packing.dead-letters", 0}, 3, 5, "k", "{", {{"cause", "not JSON"}}}};
  EXPECT_EQ(get("/api/v1/dead-letters")["items"][0]["headers"]["cause"], "not JSON");
  EXPECT_EQ(get("/api/v1/dead-letters?stream=packing")["items"].size(), 1U);
  EXPECT_EQ(ask("GET", "/api/v1/dead-letters?stream=paking").status, 404);
}

TEST_F(node_site_test, answers_503_with_retry_after_when_the_node_does_not_answer) {
  client.broken = error(errc::timeout, "no answer within 2s");
  const auto answer = ask("GET", "/api/v1/actors");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(header(answer, "Retry-After"), "1");
  EXPECT_EQ(json::parse(answer.body)["code"], "timeout");
}

TEST_F(node_site_test, predicts_named_and_ordered_instances) {
  serve_boxes();
  const auto answer =
      ask("POST", "/v1/models/boxes:predict", R"({"instances": [{"height": 2, "width": 0.5}, [1, 2]]})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(json::parse(answer.body), json::parse(R"({"predictions": [2.5, 3]})"));
}

TEST_F(node_site_test, predicts_classes_as_their_labels_were) {
  const auto predictions = [&](const std::string& name, std::vector<std::string> classes, ml::field_type type) {
    client.models[name] = classifier(name, classes, type);
    register_model(client, name, 4);
    return ask("POST", "/v1/models/" + name + ":predict", R"({"instances": [[0.25, 0.75], [0.5, 0.5]]})").body;
  };
  EXPECT_EQ(predictions("a", {"0", "1"}, ml::field_type::int64), "{\"predictions\": [1, 0]}\n");
  EXPECT_EQ(predictions("b", {"false", "true"}, ml::field_type::boolean), "{\"predictions\": [true, false]}\n");
  EXPECT_EQ(predictions("c", {"0", "1"}, ml::field_type::string), "{\"predictions\": [\"1\", \"0\"]}\n");
}

TEST_F(node_site_test, gives_probabilities_when_it_is_asked_for_them) {
  client.models["mail"] = classifier("mail", {"ham", "spam"}, ml::field_type::string);
  register_model(client, "mail", 4);
  const std::string rows = R"({"instances": [[0.25, 0.75], [0.5, 0.5]]})";
  const auto answer = ask("POST", "/v1/models/mail:predict?probabilities=true", rows);
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(json::parse(answer.body), json::parse(R"({"predictions": ["spam", "ham"], "probabilities":
                              [{"ham": 0.25, "spam": 0.75}, {"ham": 0.5, "spam": 0.5}]})"));
  EXPECT_EQ(ask("POST", "/v1/models/mail:predict?probabilities=maybe", rows).status, 400);
  serve_boxes();
  const auto numbers = ask("POST", "/v1/models/boxes:predict?probabilities=true", R"({"instances": [[1, 2]]})");
  EXPECT_EQ(numbers.status, 400);
  EXPECT_NE(numbers.body.find("there are no probabilities"), std::string::npos);
}

TEST_F(node_site_test, shows_a_class_and_all_probabilities_of_one_row) {
  client.models["mail"] = classifier("mail", {"<b>", "spam"}, ml::field_type::string);
  register_model(client, "mail", 4);
  const auto one = json::parse(ask("POST", "/predict", R"({"p0": 0.75, "p1": 0.25})").body);
  EXPECT_EQ(one["prediction"], "<b>");
  EXPECT_EQ(one["probabilities"], json::parse(R"({"<b>": 0.75, "spam": 0.25})"));
  const auto page = ask("POST", "/predict", "p0=0.75&p1=0.25", "application/x-www-form-urlencoded");
  EXPECT_EQ(page.status, 200);
  EXPECT_NE(page.body.find("kind: <strong>&lt;b&gt;</strong>"), std::string::npos) << page.body;
  EXPECT_NE(page.body.find("25.0 %"), std::string::npos);
  EXPECT_EQ(page.body.find("<b>"), std::string::npos) << "escaped";
}

TEST_F(node_site_test, describes_a_version_of_a_model_with_its_kernel) {
  client.models["mail"] = classifier("mail", {"0", "1"}, ml::field_type::int64);
  register_model(client, "mail", 4);
  for (const char* version : {"4", "champion"}) {
    const auto model = get(std::string("/api/v1/models/mail/versions/") + version);
    EXPECT_EQ(model["name"], "mail");
    EXPECT_EQ(model["version"], 4);
    EXPECT_EQ(model["size_bytes"], 777);
    EXPECT_EQ(model["memory_bytes"], 4096);
    EXPECT_EQ(model["kernel"], json::parse(R"({"name": "by_hand", "reason": "a test needs no other"})"));
    EXPECT_EQ(model["predicts"]["classes"], json::parse("[0, 1]"));
    EXPECT_EQ(model["importances"][0]["feature"], "p1") << "the largest first";
    EXPECT_EQ(model["learner"]["parameters"]["volume"], "11");
  }
  const auto none = ask("GET", "/api/v1/models/mail/versions/chmpion");
  EXPECT_EQ(none.status, 404);
  EXPECT_NE(none.body.find("did you mean \\\"champion\\\"?"), std::string::npos) << none.body;
  EXPECT_EQ(ask("GET", "/api/v1/models/male/versions/4").status, 404);
}

TEST_F(node_site_test, cancels_a_training_only_when_asked_in_json) {
  actors::training_info training;
  training.training = "boxes/sizes";
  training.state = "running";
  client.info.trainings = {training};
  EXPECT_EQ(ask("POST", "/api/v1/trainings/sizes/cancel", "x=1", "application/x-www-form-urlencoded").status, 415);
  EXPECT_EQ(client.info.trainings[0].state, "running");
  EXPECT_EQ(ask("GET", "/api/v1/trainings/sizes/cancel").status, 405);
  const auto done = ask("POST", "/api/v1/trainings/sizes/cancel", "{}");
  EXPECT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(json::parse(done.body)["state"], "cancelled");
  EXPECT_EQ(ask("POST", "/api/v1/trainings/size/cancel", "{}").status, 404);
  client.info.trainings[0].state = "completed";
  EXPECT_EQ(ask("POST", "/api/v1/trainings/sizes/cancel", "{}").status, 409);
}

TEST_F(node_site_test, tells_the_models_as_kserve_does) {
  serve_boxes();
  EXPECT_EQ(get("/v1/models"), json::parse(R"({"models": ["boxes"]})"));
  EXPECT_EQ(get("/v1/models/boxes"), json::parse(R"({"name": "boxes", "ready": true})"));
}

TEST_F(node_site_test, answers_inference_errors_as_kserve_does) {
  serve_boxes();
  const auto bad = ask("POST", "/v1/models/boxes:predict", R"({"instances": [[1]]})");
  EXPECT_EQ(bad.status, 400);
  EXPECT_TRUE(json::parse(bad.body)["error"].is_string());
  EXPECT_EQ(ask("POST", "/v1/models/boxs:predict", "{}").status, 404);
  EXPECT_EQ(ask("GET", "/v1/models/boxes:predict").status, 405);
}

TEST_F(node_site_test, goes_on_predicting_when_the_node_fails) {
  serve_boxes();
  const std::string body = R"({"instances": [[1, 2]]})";
  ASSERT_EQ(ask("POST", "/v1/models/boxes:predict", body).status, 200);
  client.broken = error(errc::unavailable, "store is gone");
  EXPECT_EQ(ask("POST", "/v1/models/boxes:predict", body).status, 200);
  EXPECT_EQ(ask("POST", "/predict", R"({"width": 1, "height": 2})").status, 200);
}

TEST_F(node_site_test, predicts_one_row_from_json_or_from_the_form) {
  serve_boxes();
  const auto one = json::parse(ask("POST", "/predict", R"({"width": 1, "height": 2})").body);
  EXPECT_EQ(one, json::parse(R"({"prediction": 3, "field": "total", "model": "boxes", "version": 4})"));
  const auto page = ask("POST", "/predict", "width=1&height=2.5&_model=boxes", "application/x-www-form-urlencoded");
  EXPECT_EQ(page.status, 200);
  EXPECT_NE(page.body.find("3.50"), std::string::npos);
  EXPECT_NE(page.body.find("version 4"), std::string::npos);
  const auto wrong = ask("POST", "/predict", "width=much&height=2.5", "application/x-www-form-urlencoded");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_NE(wrong.body.find("role=\"alert\""), std::string::npos);
  EXPECT_NE(wrong.body.find("value=\"2.5\""), std::string::npos) << "what was typed is shown again";
  EXPECT_EQ(ask("POST", "/predict", "x", "image/png").status, 415);
}

TEST_F(node_site_test, lets_people_choose_among_several_models) {
  serve_boxes();
  client.models["bags"] = sum_of("bags", 1, {feature("volume")});
  register_model(client, "bags", 1);
  EXPECT_NE(ask("GET", "/?model=bags").body.find("name=\"volume\""), std::string::npos);
  EXPECT_NE(ask("GET", "/?model=bags").body.find("/?model=boxes"), std::string::npos);
  const auto which = ask("POST", "/predict", R"({"volume": 1})");
  EXPECT_EQ(which.status, 400);
  EXPECT_NE(which.body.find("bags, boxes"), std::string::npos);
  EXPECT_EQ(ask("POST", "/predict", R"({"volume": 1, "_model": "bags"})").status, 200);
}

TEST_F(node_site_test, says_on_the_page_that_there_is_no_model_yet) {
  const auto page = ask("GET", "/");
  EXPECT_EQ(page.status, 503);
  EXPECT_NE(page.body.find("no model is trained yet"), std::string::npos);
}

} // namespace
