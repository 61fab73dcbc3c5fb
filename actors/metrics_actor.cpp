// SPDX-License-Identifier: Apache-2.0
#include "actors/metrics_actor.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>

#include <fstream>

#include <sys/resource.h>
#include <unistd.h>

namespace penstock::actors {

namespace {

struct metrics_state {
  std::uint64_t restarts = 0;
};
using self_pointer = shell<metrics_state>*;

double resident_bytes() {
  std::ifstream statm{"/proc/self/statm"};
  long total = 0;
  long resident = 0;
  statm >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct kind_figures {
  std::uint64_t living = 0;
  std::uint64_t waiting = 0;
};

void measure(self_pointer self, const metrics_setup& setup) {
  auto& registry = setup.metrics->registry();
  std::map<std::string, kind_figures> kinds;
  for (const auto& record : setup.directory->all()) {
    auto& figures = kinds[record->kind()];
    figures.living += record->handle() ? 1 : 0;
    figures.waiting += record->waiting;
  }
  for (const auto& [kind, figures] : kinds) {
    registry.gauge("penstock_actors", "Living actors by kind.", {{"kind", kind}})
        .Set(static_cast<double>(figures.living));
    registry.gauge("penstock_actor_mailbox_messages", "Messages waiting in mailboxes by kind.", {{"kind", kind}})
        .Set(static_cast<double>(figures.waiting));
  }
  const auto restarts = setup.restarts->load();
  registry.counter("penstock_actor_restarts_total", "Restarts of actors by their supervisors.")
      .Increment(static_cast<double>(restarts - self->state.restarts));
  self->state.restarts = restarts;
  registry.gauge("penstock_process_resident_memory_bytes", "Resident memory of the runtime process.")
      .Set(resident_bytes());
  registry.gauge("penstock_process_cpu_seconds", "CPU time of the runtime process.").Set(cpu_seconds());
  registry.gauge("penstock_metric_series", "Time series of this node; at most 5,000.")
      .Set(static_cast<double>(registry.series()));
}

} // namespace

caf::actor spawn_metrics(caf::actor_system& system, std::shared_ptr<actor_record> record, const metrics_setup& setup) {
  auto start = [setup](self_pointer self) -> caf::behavior {
    self->state.restarts = setup.restarts->load();
    self->send(self, look_around{});
    return {
        [=](look_around) {
          measure(self, setup);
          self->delayed_send(self, std::chrono::seconds{1}, look_around{});
        },
        [=](stop_actor) { self->finish(); },
    };
  };
  return system.spawn<shell<metrics_state>>(std::move(record), std::move(start));
}

} // namespace penstock::actors
