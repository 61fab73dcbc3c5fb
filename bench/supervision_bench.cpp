// SPDX-License-Identifier: Apache-2.0
// From the message that makes an actor throw to its next incarnation at work, under a real supervisor.
// One JSON object per line: metric, value, unit. Usage: supervision_bench [RESTARTS]
#include "actors/supervisor.hpp"
#include "base/logging.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <iostream>
#include <stdexcept>
#include <thread>

namespace penstock::actors {
struct strike {};
} // namespace penstock::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(penstock::actors::strike)

using namespace penstock;
using namespace penstock::actors;

namespace {

struct nothing {};

child throwing_child(caf::actor_system& system, std::atomic<std::uint64_t>& lives) {
  child out;
  out.spec.id = "bench/child/0";
  out.kind = "child";
  out.make = [&](std::shared_ptr<actor_record> record) {
    return system.spawn<shell<nothing>>(std::move(record), [&lives](shell<nothing>* self) -> caf::behavior {
      lives.fetch_add(1);
      return {[](strike) { throw std::runtime_error("struck"); }, [self](const stop_actor&) { self->finish(); }};
    });
  };
  return out;
}

} // namespace

int main(int argc, char** argv) {
  const auto restarts = argc > 1 ? std::stoul(argv[1]) : 1000;
  logging::configure(logging::format::json, logging::level::error);
  caf::actor_system_config config;
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", std::size_t{2});
  caf::actor_system system{config};
  actor_directory directory;
  std::atomic<std::uint64_t> counted{0};
  std::atomic<std::uint64_t> lives{0};
  runtime::supervisor_spec spec;
  spec.id = "bench/supervisor/0";
  spec.intensity = static_cast<std::uint32_t>(restarts) + 1;
  spec.backoff.initial = duration::zero();
  spec.backoff.max = duration::zero();
  const auto root = spawn_supervisor(system, directory.enrol(spec.id, "supervisor", "", std::chrono::seconds{30}), spec,
                                     {throwing_child(system, lives)}, {&directory, &counted, {}});
  std::vector<double> took;
  for (std::uint64_t life = 1; life <= restarts; ++life) {
    while (lives.load() < life || !directory.handle("bench/child/0"))
      std::this_thread::yield();
    const auto begin = std::chrono::steady_clock::now();
    caf::anon_send(directory.handle("bench/child/0"), strike{});
    while (lives.load() == life)
      std::this_thread::yield();
    took.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
  }
  std::ranges::sort(took);
  const auto print = [](const std::string& metric, double value) {
    std::cout << nlohmann::json{{"metric", metric}, {"value", value}, {"unit", "ms"}} << std::endl;
  };
  print("actor_restart_p50_ms", took[took.size() / 2]);
  print("actor_restart_p99_ms", took[took.size() * 99 / 100]);
  caf::anon_send(root, stop_actor{});
  directory.release_handles();
}
