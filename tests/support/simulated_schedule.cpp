// SPDX-License-Identifier: Apache-2.0
#include "tests/support/simulated_schedule.hpp"

#include <algorithm>
#include <utility>

namespace penstock::test {

namespace {

constexpr std::uint64_t nodes = 2;
constexpr std::uint64_t most_calm_steps = 50'000;

/// Starts, kills, moves and pauses hosts, and lets their events happen in any order.
class schedule {
public:
  explicit schedule(const world_settings& settings) : world_(settings) {}

  [[nodiscard]] schedule_report run() {
    begin();
    for (; report_.steps < world_.settings.faulty_steps && !world_.violation; ++report_.steps) {
      trouble();
      step();
    }
    calm_down();
    for (std::uint64_t i = 0; !world_.violation && !finished(i); ++i, ++report_.steps) {
      if (i > most_calm_steps)
        world_.violate("no progress: " + standing());
      step();
    }
    stop_all();
    if (!world_.violation)
      check_invariants(world_);
    return report();
  }

private:
  // -- hosts --------------------------------------------------------------------

  void begin() {
    for (std::uint32_t i = 0; i < world_.settings.shards; ++i)
      give(shard_name(i), world_.below(nodes));
    give(source_name, world_.below(nodes));
  }

  /// The shard or source is assigned to a node, and started there.
  void give(const std::string& name, std::uint64_t node) {
    world_.owners[name] = node;
    std::erase_if(hosts_, [&](auto& one) {
      if (one->name() != name || one->node() != node)
        return false;
      one->crash();
      return true;
    });
    hosts_.push_back(name == source_name
                         ? make_source_host(world_, node)
                         : make_shard_host(world_, static_cast<std::uint32_t>(std::stoul(name.substr(6))), node));
    hosts_.back()->start();
  }

  /// The runtime process of a node dies and is restarted: all that it owns begins anew.
  void node_dies(std::uint64_t node, std::vector<runtime::suspect> suspects) {
    ++report_.node_deaths;
    world_.suspects[node] = std::move(suspects);
    std::erase_if(hosts_, [&](auto& one) {
      if (one->node() != node)
        return false;
      one->crash();
      return true;
    });
    for (const auto& [name, owner] : std::map<std::string, std::uint64_t>(world_.owners))
      if (owner == node)
        give(name, node);
  }

  void trouble() {
    const auto& s = world_.settings;
    if (world_.chance(s.node_dies))
      node_dies(world_.below(nodes), {});
    if (world_.chance(s.host_dies))
      restart(*hosts_[world_.below(hosts_.size())]);
    if (world_.chance(s.moves)) {
      ++report_.moves;
      const auto name =
          std::next(world_.owners.begin(), static_cast<std::ptrdiff_t>(world_.below(world_.owners.size())));
      give(name->first, (name->second + 1) % nodes);
    }
    if (world_.chance(s.pauses))
      hosts_[world_.below(hosts_.size())]->paused_until = world_.now + std::chrono::milliseconds(world_.below(3000));
    if (world_.chance(s.new_model)) {
      ++world_.generation;
      for (auto& host : hosts_)
        host->model_changed();
    }
    if (s.retention && world_.chance(0.01)) {
      const auto of = world_.input(static_cast<std::int32_t>(world_.below(static_cast<std::uint64_t>(s.partitions))));
      const auto range = *world_.log.offsets(of);
      (void)world_.log.trim(of, range.start + static_cast<std::int64_t>(world_.below(5)));
    }
  }

  /// An exception ended the actor: in the same process, so its session is closed in order.
  void restart(const simulated_host& host) {
    const auto name = host.name();
    const auto node = host.node();
    std::erase_if(hosts_, [&](auto& one) { return one.get() == &host; });
    if (world_.owners[name] == node)
      give(name, node);
  }

  void calm_down() {
    world_.faulty = false;
    world_.log.set_faults({});
    for (auto& host : hosts_)
      host->paused_until = {};
  }

  // -- events -------------------------------------------------------------------

  void step() {
    world_.log.turn(world_.now);
    const auto first = world_.below(hosts_.size());
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
      auto& host = *hosts_[(first + i) % hosts_.size()];
      if (world_.now < host.paused_until)
        continue;
      const auto count = host.possible();
      if (count == 0)
        continue;
      host.step(world_.below(count));
      world_.now += std::chrono::microseconds(world_.below(world_.faulty ? 2000 : 500));
      return look_after(host);
    }
    world_.now += std::chrono::milliseconds(5);
  }

  /// What supervisors and keepers do.
  void look_after(simulated_host& host) {
    if (host.brought_down()) {
      std::vector<runtime::suspect> suspects;
      for (const auto& one : hosts_)
        if (one->node() == host.node())
          for (auto& suspect : one->in_work())
            if (one.get() == &host || world_.chance(0.5))
              suspects.push_back(std::move(suspect));
      if (suspects.size() > 1)
        for (auto& suspect : suspects)
          suspect.alone = false;
      return node_dies(host.node(), std::move(suspects));
    }
    if (const auto why = host.failure()) {
      if (why->code() == errc::configuration || why->code() == errc::internal)
        return world_.violate(host.name() + " failed: " + why->text());
      return restart(host);
    }
    if (host.suspended()) {
      world_.now += std::chrono::seconds(61);
      return restart(host);
    }
    if (host.ended() && world_.owners[host.name()] != host.node())
      std::erase_if(hosts_, [&](auto& one) { return one.get() == &host; });
  }

  [[nodiscard]] bool finished(std::uint64_t step) { return step % 16 == 0 && is_complete(world_); }

  void stop_all() {
    for (std::uint64_t i = 0; i < nodes; ++i)
      std::erase_if(hosts_, [&](auto& one) { return one->node() == i && world_.owners[one->name()] != i; });
    for (auto& host : hosts_)
      host->stop();
    for (std::uint64_t i = 0; i < most_calm_steps && !world_.violation; ++i, ++report_.steps) {
      if (std::ranges::all_of(hosts_, [](const auto& one) { return one->ended(); }))
        return;
      step();
    }
    world_.violate("not everything could be stopped: " + standing());
  }

  // -- the end ------------------------------------------------------------------

  [[nodiscard]] std::string standing() const {
    std::string out;
    for (const auto& host : hosts_)
      out += host->name() + " on node " + std::to_string(host->node()) + " " + host->state() + "; ";
    return out;
  }

  [[nodiscard]] schedule_report report() {
    report_.violation = world_.violation;
    report_.commits = world_.ledger.entries.size();
    for (const auto& one : world_.ledger.entries) {
      report_.in_doubt += one.outcome == storage::commit_outcome::in_doubt ? 1 : 0;
      report_.aborted += one.outcome == storage::commit_outcome::aborted ? 1 : 0;
      report_.fenced += one.outcome == storage::commit_outcome::fenced ? 1 : 0;
    }
    for (std::int32_t i = 0; i < world_.settings.partitions; ++i) {
      report_.records += world_.log.broker().visible(world_.input(i)).size();
      report_.dead_letters += world_.log.broker().visible({"dead", i}).size();
    }
    return report_;
  }

  simulated_world world_;
  std::vector<std::unique_ptr<simulated_host>> hosts_;
  schedule_report report_;
};

} // namespace

schedule_report run_schedule(std::uint64_t seed, const std::function<void(world_settings&)>& change) {
  world_settings settings(seed);
  if (change)
    change(settings);
  return schedule(settings).run();
}

} // namespace penstock::test
