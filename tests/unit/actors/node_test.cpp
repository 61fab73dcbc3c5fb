// SPDX-License-Identifier: Apache-2.0
#include "actors/node.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include <unistd.h>

namespace penstock::actors {
namespace {

using namespace std::chrono_literals;

/// A node in this process on the real application and data, at a high rate.
class node_test : public ::testing::Test {
protected:
  node_test() {
    data_ = std::filesystem::temp_directory_path() / ("penstock-node-test-" + std::to_string(::getpid()));
    std::filesystem::remove_all(data_);
    std::filesystem::create_directories(data_);
  }
  ~node_test() override { std::filesystem::remove_all(data_); }

  std::unique_ptr<node> start() {
    std::ifstream file{"pipelines/house-prices.yaml"};
    std::stringstream yaml;
    yaml << file.rdbuf();
    auto text = yaml.str();
    text.replace(text.find("rate: 450/s"), 11, "rate: 20000/s");
    auto application = runtime::parse_application(text, std::filesystem::absolute("pipelines/house-prices.yaml"),
                                                  [](const std::string&) { return std::nullopt; });
    EXPECT_TRUE(application.ok()) << (application ? "" : application.error().text());
    node_settings settings;
    settings.data = data_;
    settings.log.allow_tmpfs = true;
    auto started = node::start(settings, *application, metrics_);
    EXPECT_TRUE(started.ok()) << (started ? "" : started.error().text());
    return std::move(*started);
  }

  static std::uint64_t records(const node_info& info) {
    std::uint64_t out = 0;
    for (const auto& shard : info.shards)
      for (const auto& partition : shard.partitions)
        out += partition.metrics.records;
    return out;
  }

  node_info wait_for_records(node& one, std::uint64_t wanted) {
    const auto deadline = std::chrono::steady_clock::now() + 120s;
    for (;;) {
      auto info = one.client().node(5s);
      if (info && records(*info) >= wanted)
        return *info;
      if (one.wait_failed(50ms) || std::chrono::steady_clock::now() > deadline) {
        ADD_FAILURE() << "stuck at " << (info ? records(*info) : 0) << " records: "
                      << (one.failure() ? one.failure()->text()
                          : info        ? info->failure
                                        : info.error().text());
        return info ? *info : node_info{};
      }
    }
  }

  metric_registry metrics_;
  std::filesystem::path data_;
};

TEST_F(node_test, trains_streams_and_commits_every_row_once_and_goes_on_where_it_was) {
  double mae = 0;
  {
    auto one = start();
    const auto info = wait_for_records(*one, 4128);
    EXPECT_EQ(records(info), 4128u);
    ASSERT_EQ(info.trainings.size(), 1u);
    EXPECT_EQ(info.trainings[0].state, "completed");
    EXPECT_FALSE(info.trainings[0].reused);
    runtime::running_metrics sum;
    for (const auto& partition : info.shards[0].partitions)
      sum.merge(partition.metrics);
    mae = sum.mae();
    EXPECT_NEAR(sum.rmse(), 0.545, 0.015);
    EXPECT_TRUE(one->client().model("house-prices", "champion", 5s).ok());
    EXPECT_NE(one->client().metrics().find("penstock_commits_total"), std::string::npos);
    EXPECT_TRUE(one->stop(5s));
  }
  auto two = start();
  const auto info = wait_for_records(*two, 4128);
  EXPECT_EQ(records(info), 4128u);
  runtime::running_metrics sum;
  for (const auto& partition : info.shards[0].partitions)
    sum.merge(partition.metrics);
  EXPECT_EQ(sum.mae(), mae);
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  for (;;) {
    const auto again = two->client().node(5s);
    ASSERT_TRUE(again.ok());
    if (!again->trainings.empty() && again->trainings[0].state == "completed") {
      EXPECT_TRUE(again->trainings[0].reused);
      EXPECT_EQ(again->trainings[0].version, 1u);
      break;
    }
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    std::this_thread::yield();
  }
  const auto events = two->client().events(5s);
  ASSERT_TRUE(events.ok());
  EXPECT_EQ(std::ranges::count(*events, "training.completed", &runtime::event_noted::event), 1);
}

TEST_F(node_test, refuses_an_application_whose_data_is_missing_before_anything_is_made) {
  runtime::application_spec application;
  application.name = "none";
  runtime::dataset_spec dataset;
  dataset.name = "rows";
  dataset.path = data_ / "missing.csv";
  application.datasets.push_back(dataset);
  node_settings settings;
  settings.data = data_ / "node";
  settings.log.allow_tmpfs = true;
  const auto started = node::start(settings, application, metrics_);
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().code(), errc::not_found);
  EXPECT_FALSE(std::filesystem::exists(data_ / "node"));
}

} // namespace
} // namespace penstock::actors
