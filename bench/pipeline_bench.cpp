// SPDX-License-Identifier: Apache-2.0
// The main job from a pre-filled topic on the embedded log: decode, predict with 100 trees, encode, commit; beside it
// the ceiling of the storage alone, which reads the same input and commits the same output bytes in the same batches.
// One JSON object per line: metric, value, unit. Usage: pipeline_bench DIR [RECORDS] [SHARDS]   (from the repository's
// root)
#include "actors/node.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>

#include <sys/resource.h>

using namespace penstock;
using namespace std::chrono_literals;

namespace {

constexpr std::int32_t partitions = 8;
const std::string input_topic = "house-prices-input";
const std::string output_topic = "house-prices-output";

void print(const std::string& metric, double value, const std::string& unit) {
  std::cout << nlohmann::json{{"metric", metric}, {"value", value}, {"unit", unit}} << std::endl;
}

[[noreturn]] void give_up(const std::string& text) {
  std::cerr << text << "\n";
  std::exit(1);
}

template <class T>
T must(result<T> value) {
  if (!value)
    give_up(value.error().text());
  return std::move(*value);
}

void must(const status& done) {
  if (!done)
    give_up(done.error().text());
}

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto of = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return of(used.ru_utime) + of(used.ru_stime);
}

double seconds_since(time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// The shipped application with eight partitions and without its source.
runtime::application_spec application(unsigned shards) {
  std::ifstream file{"pipelines/house-prices.yaml"};
  std::stringstream text;
  text << file.rdbuf();
  auto spec = must(runtime::parse_application(text.str(), std::filesystem::absolute("pipelines/house-prices.yaml"),
                                              [](const std::string&) { return std::nullopt; }));
  spec.sources.clear();
  for (auto& topic : spec.topics)
    topic.partitions = partitions;
  spec.streams.front().shards = shards;
  return spec;
}

actors::node_settings settings(const std::filesystem::path& directory) {
  actors::node_settings out;
  out.data = directory;
  out.log.durability = storage::durability::machine;
  return out;
}

std::uint64_t processed(actors::node_client& client) {
  std::uint64_t out = 0;
  for (const auto& shard : must(client.shards(5s)))
    for (const auto& partition : shard.partitions)
      out += partition.metrics.records + partition.metrics.dead_letters;
  return out;
}

/// Trains and registers the model, so that the measured run starts with one.
void train(const std::filesystem::path& directory, unsigned shards) {
  metric_registry metrics;
  auto node = must(actors::node::start(settings(directory), application(shards), metrics));
  for (;;) {
    const auto info = must(node->client().node(5s));
    if (!info.trainings.empty() && info.trainings.front().state == "completed")
      break;
    std::this_thread::sleep_for(10ms);
  }
  if (!node->stop(5s))
    give_up("the node did not stop");
}

/// Records like those of the source, made of the data file's rows over and over.
void fill(const std::filesystem::path& directory, std::uint64_t records) {
  std::ifstream file{"data/california_housing.csv"};
  std::vector<std::string> rows;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line))
    rows.push_back(line);
  const std::vector<std::string> names{"MedInc",   "HouseAge", "AveRooms",  "AveBedrms",   "Population",
                                       "AveOccup", "Latitude", "Longitude", "actual_price"};
  std::vector<std::string> bodies;
  for (const auto& row : rows) {
    std::stringstream cells{row};
    std::string body;
    for (const auto& name : names) {
      std::string cell;
      std::getline(cells, cell, ',');
      body += ",\"" + name + "\":" + cell;
    }
    bodies.push_back(body + "}");
  }
  auto log = must(storage::open_log("rocksdb:" + (directory / "log").string(), {}));
  std::vector<storage::record_batch> batches(partitions);
  const auto now = system_clock().wall();
  for (std::uint64_t id = 0; id < records; ++id) {
    const auto key = std::to_string(id);
    auto& batch = batches[static_cast<std::size_t>(storage::partition_of(key, partitions))];
    batch.add(key, "{\"id\":" + key + bodies[id % bodies.size()], "", now);
    if (batch.size() < 1000 && id + 1 < records)
      continue;
    for (std::int32_t p = 0; p < partitions; ++p) {
      auto& full = batches[static_cast<std::size_t>(p)];
      if (full.size() >= 1000 || (id + 1 == records && !full.empty())) {
        (void)must(log->append({input_topic, p}, full));
        full.clear();
      }
    }
  }
}

double stage(const std::string& exposition, const std::string& name) {
  const auto at = exposition.find("penstock_stage_seconds_total{application=\"house-prices\",stage=\"" + name + "\"");
  if (at == std::string::npos)
    return 0;
  return std::strtod(exposition.c_str() + exposition.find("} ", at) + 2, nullptr);
}

/// From the start of a node to the last committed record.
double stream(const std::filesystem::path& directory, std::uint64_t records, unsigned shards) {
  metric_registry metrics;
  const auto cpu = cpu_seconds();
  const auto begin = std::chrono::steady_clock::now();
  auto node = must(actors::node::start(settings(directory), application(shards), metrics));
  while (processed(node->client()) < records)
    std::this_thread::sleep_for(5ms);
  const auto took = seconds_since(begin);
  const auto used = cpu_seconds() - cpu;
  const auto text = node->client().metrics();
  const auto per_record = [&](double seconds) { return seconds * 1e9 / static_cast<double>(records); };
  print("pipeline_cpu_ns_per_record", per_record(used), "ns");
  for (const auto* name : {"decode", "predict", "encode"}) {
    print(std::string{"pipeline_"} + name + "_ns_per_record", per_record(stage(text, name)), "ns");
    print(std::string{"pipeline_"} + name + "_cpu_share", stage(text, name) / used, "1");
  }
  const auto info = must(node->client().node(5s));
  print("pipeline_commit_p50_ms", std::chrono::duration<double, std::milli>(info.commit_p50).count(), "ms");
  print("pipeline_commit_p99_ms", std::chrono::duration<double, std::milli>(info.commit_p99).count(), "ms");
  return static_cast<double>(records) / took;
}

/// One reader and one session: reads all input and commits, for each batch, as many of the real output records.
double ceiling(const std::filesystem::path& directory, std::uint64_t records) {
  auto log = must(storage::open_log("rocksdb:" + (directory / "log").string(), {}));
  std::vector<storage::record_batch> outputs;
  storage::session_spec spec{"bench.ceiling", "bench", {}, {}, 0, 0};
  std::vector<storage::position> from;
  for (std::int32_t p = 0; p < partitions; ++p) {
    auto reader = must(log->open_reader());
    must(reader->assign({{{output_topic, p}, 0}}));
    outputs.push_back(std::move(must(reader->poll(1000, std::size_t{1} << 20, 1s)).front().records));
    from.push_back({{input_topic, p}, 0});
    spec.inputs.push_back({input_topic, p});
  }
  storage::topic_spec topic;
  topic.name = "ceiling";
  topic.partitions = partitions;
  must(log->create_topic(topic));
  const auto begin = std::chrono::steady_clock::now();
  auto session = must(log->open_session(spec));
  auto reader = must(log->open_reader());
  must(reader->assign(from));
  storage::commit_request request;
  std::uint64_t pending = 0;
  for (std::uint64_t done = 0; done < records;) {
    for (auto& batch : must(reader->poll(10'000, std::size_t{4} << 20, 1s))) {
      done += batch.records.size();
      pending += batch.records.size();
      for (std::size_t left = batch.records.size(); left > 0;) {
        const auto& sample = outputs[static_cast<std::size_t>(batch.from.partition)];
        storage::record_batch piece;
        if (left >= sample.size())
          piece = sample;
        else
          for (std::size_t i = 0; i < left; ++i)
            piece.add(sample[i].key, sample[i].value, sample[i].headers, sample[i].timestamp);
        left -= piece.size();
        request.outputs.push_back({{"ceiling", batch.from.partition}, std::move(piece)});
      }
      request.offsets.push_back({batch.from, batch.next});
    }
    if (pending >= 10'000 || done == records) {
      const auto ended = session.session->commit(request);
      if (ended.outcome != storage::commit_outcome::committed)
        give_up(ended.reason);
      request = {};
      pending = 0;
    }
  }
  return static_cast<double>(records) / seconds_since(begin);
}

} // namespace

int main(int argc, char** argv) {
  if (argc < 2)
    give_up("usage: pipeline_bench DIR [RECORDS] [SHARDS]");
  const std::filesystem::path directory = argv[1];
  const std::uint64_t records = argc > 2 ? std::stoull(argv[2]) : 1'000'000;
  const auto shards = argc > 3 ? static_cast<unsigned>(std::stoul(argv[3])) : 1;
  std::filesystem::remove_all(directory);
  train(directory, shards);
  fill(directory, records);
  const auto rate = stream(directory, records, shards);
  print("pipeline_records_per_s", rate, "1/s");
  const auto most = ceiling(directory, records);
  print("storage_ceiling_records_per_s", most, "1/s");
  print("pipeline_to_ceiling", rate / most, "1");
  std::filesystem::remove_all(directory);
}
