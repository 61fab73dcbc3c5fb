// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/tools/recording_console.hpp"
#include "tests/unit/web/stub_client.hpp"
#include "tools/verbs.hpp"
#include "web/http_server.hpp"
#include "web/node_site.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <filesystem>
#include <sstream>

using namespace penstock;
using namespace penstock::tools;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

/// The same records in a log directory and behind a node's HTTP port.
struct topics_test : testing::Test {
  fs::path place;
  web::stub_client client;
  std::unique_ptr<web::http_server> server;

  void SetUp() override {
    std::string form = (fs::temp_directory_path() / "penstock-topics-XXXXXX").string();
    ASSERT_NE(::mkdtemp(form.data()), nullptr);
    place = form;
    storage::log_options options;
    options.durability = storage::durability::process;
    options.allow_tmpfs = true;
    auto log = storage::open_log("rocksdb:" + place.string(), options);
    ASSERT_TRUE(log) << log.error().text();
    ASSERT_TRUE((*log)->create_topic(web::a_topic("odd", {{}, {}}).spec));
    for (std::int32_t p = 0; p < 2; ++p) {
      storage::record_batch batch;
      for (int i = 0; i < 1500; ++i)
        batch.add("k" + std::to_string(i), i == 7 ? "\xfe" : std::to_string(p * 10'000 + i), "", 5);
      batch.number_from(0);
      ASSERT_TRUE((*log)->append({"odd", p}, batch));
      client.records[{"odd", p}] = batch;
    }
    client.known_topics = {web::a_topic("odd", {{0, 1500}, {0, 1500}})};
    client.known_actors = {web::an_actor("boxes/predictor/0", "predictor", "out of paint")};
    client.known_events = {{"actor.restarted", "boxes/predictor/0", "out of paint", 1}, {"other", "x", "", 2}};
    web::http_server_settings settings;
    settings.port = 0;
    server = *web::http_server::listen(settings, nullptr);
    server->serve(web::node_site(client, "alpha"));
  }
  void TearDown() override {
    server.reset();
    fs::remove_all(place);
  }

  std::vector<std::string> log_option() const { return {"--log", "rocksdb:" + place.string()}; }
  std::vector<std::string> url_option() const {
    return {"--url", "http://127.0.0.1:" + std::to_string(server->port())};
  }

  recording_console to;
  int run(std::vector<std::string> line, const std::vector<std::string>& more) {
    to = {};
    line.insert(line.end(), more.begin(), more.end());
    return penstock_main(line, to);
  }
  std::vector<json> lines() const {
    std::vector<json> out;
    std::istringstream text(to.written);
    for (std::string line; std::getline(text, line);)
      out.push_back(json::parse(line));
    return out;
  }
};

TEST_F(topics_test, prints_every_record_once_in_the_order_of_its_partition_from_the_log_and_over_http) {
  for (const auto& where : {log_option(), url_option()}) {
    ASSERT_EQ(run({"topic", "consume", "odd"}, where), 0) << to.said;
    const auto records = lines();
    ASSERT_EQ(records.size(), 3000U);
    std::int64_t next[2] = {0, 0};
    for (const auto& record : records) {
      const auto p = record["partition"].get<std::size_t>();
      EXPECT_EQ(record["offset"], next[p]++);
      if (record["offset"] == 7)
        EXPECT_EQ(record["value_base64"], "/g==");
      else
        EXPECT_EQ(record["value"], std::to_string(p * 10'000 + record["offset"].get<std::size_t>()));
    }
  }
}

TEST_F(topics_test, begins_where_it_is_told_and_ends_at_the_limit) {
  for (const auto& where : {log_option(), url_option()}) {
    ASSERT_EQ(
        run({"topic", "consume", "odd", "--partition", "1", "--from", "1200", "--limit", "2", "-o", "value"}, where),
        0);
    EXPECT_EQ(to.written, "11200\n11201\n");
    ASSERT_EQ(run({"topic", "consume", "odd", "--from", "latest"}, where), 0);
    EXPECT_EQ(to.written, "");
    ASSERT_EQ(run({"topic", "consume", "odd", "--limit", "0", "-o", "json"}, where), 0);
    EXPECT_EQ(to.written, "[]\n");
    ASSERT_EQ(run({"topic", "consume", "odd", "--partition", "0", "--limit", "3", "-o", "json"}, where), 0);
    EXPECT_EQ(json::parse(to.written).size(), 3U);
  }
}

TEST_F(topics_test, stops_when_nobody_reads_any_more) {
  to = {};
  std::vector<std::string> line{"topic", "consume", "odd", "--log", "rocksdb:" + place.string()};
  to.closed = true;
  EXPECT_EQ(penstock_main(line, to), 0);
  EXPECT_LT(std::ranges::count(to.written, '\n'), 1500);
}

TEST_F(topics_test, names_the_nearest_topic_and_the_partitions_there_are) {
  for (const auto& where : {log_option(), url_option()}) {
    EXPECT_EQ(run({"topic", "consume", "odt"}, where), 3);
    EXPECT_NE(to.said.find("\"odd\""), std::string::npos);
    EXPECT_EQ(run({"topic", "consume", "odd", "--partition", "2"}, where), 3);
    EXPECT_EQ(run({"topic", "consume", "odd", "--from", "yesterday"}, where), 2);
  }
}

TEST_F(topics_test, lists_topics_in_every_form) {
  for (const auto& where : {log_option(), url_option()}) {
    ASSERT_EQ(run({"topic", "list", "-o", "json"}, where), 0);
    const auto found = json::parse(to.written);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0]["name"], "odd");
    EXPECT_EQ(found[0]["partitions"].size(), 2U);
    EXPECT_EQ(found[0]["records"], 3000);
    ASSERT_EQ(run({"topic", "list", "-o", "name"}, where), 0);
    EXPECT_EQ(to.written, "odd\n");
    ASSERT_EQ(run({"topic", "list"}, where), 0);
    EXPECT_TRUE(to.written.starts_with("NAME"));
  }
}

TEST_F(topics_test, does_not_find_a_log_that_is_not_there_and_does_not_make_it) {
  EXPECT_EQ(run({"topic", "list"}, {"--log", "rocksdb:" + (place / "nowhere").string()}), 3);
  EXPECT_FALSE(fs::exists(place / "nowhere"));
}

TEST_F(topics_test, lists_every_noun_in_every_form) {
  for (const char* noun :
       {"actors", "shards", "sources", "trainings", "topics", "models", "runs", "events", "dead-letters", "nodes"})
    for (const char* form : {"table", "wide", "json", "jsonl", "yaml", "name"})
      EXPECT_EQ(run({"get", noun, "-o", form}, url_option()), 0) << noun << form << to.said;
  ASSERT_EQ(run({"get", "actors", "-o", "name"}, url_option()), 0);
  EXPECT_EQ(to.written, "boxes/predictor/0\n");
  ASSERT_EQ(run({"get", "actors", "--filter", "kind=shard", "-o", "json"}, url_option()), 0);
  EXPECT_EQ(json::parse(to.written), json::array());
}

TEST_F(topics_test, describes_an_actor_with_the_events_about_it) {
  ASSERT_EQ(run({"describe", "actor", "boxes/predictor/0"}, url_option()), 0) << to.said;
  EXPECT_NE(to.written.find("out of paint"), std::string::npos);
  EXPECT_NE(to.written.find("actor.restarted"), std::string::npos);
  EXPECT_EQ(to.written.find("other"), std::string::npos);
  ASSERT_EQ(run({"describe", "actor", "boxes/predictor/0", "-o", "json"}, url_option()), 0);
  EXPECT_EQ(json::parse(to.written)["last_cause"], "out of paint");
  EXPECT_EQ(run({"describe", "actor", "boxes/predicter/0"}, url_option()), 3);
  EXPECT_NE(to.said.find("boxes/predictor/0"), std::string::npos);
}

} // namespace
