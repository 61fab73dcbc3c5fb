// SPDX-License-Identifier: Apache-2.0
// The embedded log alone: appending, committing, reading, opening. One JSON object per line: metric, value, unit.
// Usage: storage_bench [DIR] [RECORDS] [MEMORY in MiB]
#include "storage/log.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <random>

#include <sys/resource.h>

using namespace penstock;
using namespace penstock::storage;

namespace {

constexpr std::int32_t partitions = 8;
constexpr std::size_t batch_records = 1000;

void print(const std::string& metric, double value, const std::string& unit) {
  std::cout << nlohmann::json{{"metric", metric}, {"value", value}, {"unit", unit}} << std::endl;
}

/// Processor time of all threads: what is left to compare when the machine has other work.
double processor_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  auto of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return of(used.ru_utime) + of(used.ru_stime);
}

double seconds(const std::function<void()>& work) {
  auto start = system_clock().now();
  work();
  return std::chrono::duration<double>(system_clock().now() - start).count();
}

/// Prints the rate of a piece of work over so many records, and its processor time per record.
void measure(const std::string& metric, std::size_t records, const std::function<void()>& work) {
  const auto before = processor_seconds();
  const auto taken = seconds(work);
  const auto used = processor_seconds() - before;
  print(metric + "_records_per_s", static_cast<double>(records) / taken, "1/s");
  print(metric + "_cpu_ns_per_record", used * 1e9 / static_cast<double>(records), "ns");
}

[[noreturn]] void give_up(const std::string& text) {
  std::cerr << text << "\n";
  std::exit(1);
}

template <class T>
T must(result<T> got) {
  if (!got)
    give_up(got.error().text());
  return std::move(*got);
}

void must(const status& got) {
  if (!got)
    give_up(got.error().text());
}

/// Proportional share of memory of this process, MiB.
double memory() {
  std::ifstream in("/proc/self/smaps_rollup");
  std::string word;
  while (in >> word)
    if (word == "Pss:") {
      double kilobytes = 0;
      in >> kilobytes;
      return kilobytes / 1024;
    }
  return 0;
}

std::unique_ptr<storage::log> open(const std::filesystem::path& directory, enum durability how,
                                   std::uint64_t megabytes) {
  log_options options;
  options.durability = how;
  options.allow_tmpfs = true;
  options.memory = megabytes << 20;
  return must(open_log("rocksdb:" + directory.string(), options));
}

/// Records such as the house-prices job writes: JSON of about 190 bytes.
record_batch make_batch() {
  record_batch out;
  std::mt19937 random(42);
  auto number = [&random](unsigned below) { return static_cast<double>(random() % below) / 10'000; };
  for (std::size_t i = 0; i < batch_records; ++i)
    out.add(std::to_string(i),
            fmt::format(R"({{"id":{},"MedInc":{},"HouseAge":{},"AveRooms":{},"AveBedrms":{},"Population":{},)"
                        R"("AveOccup":{},"Latitude":{},"Longitude":{},"actual_price":{}}})",
                        i, number(150'000), random() % 52, number(100'000), number(20'000), random() % 4000,
                        number(50'000), number(420'000), -number(1'240'000), number(50'000)),
            {}, 1'700'000'000'000);
  return out;
}

void bench_append(storage::log& to, const std::string& topic, std::size_t records) {
  must(to.create_topic({topic, partitions, {}, {}, false, 1}));
  const auto batch = make_batch();
  measure("append", records, [&] {
    for (std::size_t i = 0; i < records / batch_records; ++i)
      (void)must(to.append({topic, static_cast<std::int32_t>(i % partitions)}, batch));
  });
}

void bench_commit(storage::log& to, const std::string& name, std::size_t records, std::size_t per_commit) {
  must(to.create_topic({name, partitions, {}, {}, false, 1}));
  const auto batch = make_batch();
  const partition_id input{name, 0};
  auto opened = must(to.open_session({"bench." + name, "bench", {input}, {input}, 0, 0}));
  std::vector<double> latencies;
  measure(name, records, [&] {
    std::int64_t next = 0;
    for (std::size_t done = 0; done < records; done += per_commit) {
      commit_request request;
      for (std::size_t i = 0; i < per_commit; i += batch_records)
        request.outputs.push_back({input, batch});
      request.offsets = {{input, next}};
      request.state = {{input, "metrics", std::string(4096, 'x')}};
      latencies.push_back(seconds([&] {
        if (auto end = opened.session->commit(request); end.outcome != commit_outcome::committed)
          give_up(end.reason);
      }));
      next += static_cast<std::int64_t>(per_commit);
    }
  });
  std::sort(latencies.begin(), latencies.end());
  print(name + "_p50_us", latencies[latencies.size() / 2] * 1e6, "us");
  print(name + "_p99_us", latencies[latencies.size() * 99 / 100] * 1e6, "us");
}

void bench_read(storage::log& from, const std::string& metric, const std::string& topic, std::size_t records) {
  auto reader = must(from.open_reader());
  std::vector<position> all;
  for (std::int32_t i = 0; i < partitions; ++i)
    all.push_back({{topic, i}, 0});
  must(reader->assign(all));
  std::size_t seen = 0;
  measure(metric, records, [&] {
    while (seen < records) {
      for (const auto& each : must(reader->poll(10'000, std::size_t{4} << 20, std::chrono::seconds(1))))
        seen += each.records.size();
    }
  });
}

} // namespace

int main(int argc, char** argv) {
  const std::filesystem::path directory = argc > 1 ? argv[1] : "/tmp/penstock-storage-bench";
  const std::size_t records = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1'000'000;
  const std::uint64_t megabytes = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 8;
  std::filesystem::remove_all(directory);
  const auto before = memory();
  {
    auto log = open(directory, durability::process, megabytes);
    print("idle_memory", memory() - before, "MiB");
    bench_append(*log, "append", records);
    bench_commit(*log, "commit_process", records / 2, 1000);
  }
  {
    std::unique_ptr<storage::log> log;
    print("open", seconds([&] { log = open(directory, durability::machine, megabytes); }) * 1e3, "ms");
    bench_commit(*log, "commit_machine", records / 2, 1000);
    bench_commit(*log, "commit_machine_10k", records / 2, 10'000);
    bench_read(*log, "read_first", "append", records);
    bench_read(*log, "read_cached", "append", records);
    print("memory_after", memory() - before, "MiB");
  }
  std::filesystem::remove_all(directory);
  return 0;
}
