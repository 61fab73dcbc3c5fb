// SPDX-License-Identifier: Apache-2.0
#include "tools/run_watch.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

namespace penstock::tools {

namespace {

/// Phases in which a shard has not read its state yet.
bool has_state(const actors::shard_info& shard) {
  static constexpr std::array<std::string_view, 3> before{"starting", "created", "opening"};
  return std::ranges::find(before, shard.phase) == before.end();
}

/// The longest interval among the sources that still have rows.
std::optional<duration> active_every(const actors::node_info& node, const runtime::application_spec& application) {
  std::optional<duration> longest;
  for (const auto& source : node.sources) {
    if (source.phase == "done" || source.phase == "closed" || source.phase == "failed")
      continue;
    for (const auto& spec : application.sources)
      if (source.name == spec.name || source.name.ends_with("/" + spec.name))
        longest = std::max(longest.value_or(duration::zero()), spec.interval);
  }
  return longest;
}

} // namespace

runtime::live_sample sample_of(const actors::node_info& node, const runtime::application_spec& application) {
  runtime::live_sample out;
  const auto figures = run_figures::of(node);
  out.records = figures.metrics.records;
  out.dead_letters = figures.metrics.dead_letters;
  out.restarts = node.restarts;
  out.mae = figures.metrics.mae();
  out.rmse = figures.metrics.rmse();
  out.opened = node.ready && std::ranges::all_of(node.shards, has_state);
  out.models_ready = !node.shards.empty() || application.streams.empty();
  std::map<std::string, std::uint64_t> lags;
  for (const auto& shard : node.shards) {
    out.commits += shard.commits;
    out.models_ready = out.models_ready && shard.model_version > 0;
    for (const auto& partition : shard.partitions)
      lags[shard.stream] += static_cast<std::uint64_t>(std::max<std::int64_t>(0, partition.end - partition.committed));
  }
  for (const auto& [stream, records] : lags)
    out.lags.push_back({stream, records});
  out.active_every = active_every(node, application);
  return out;
}

run_figures run_watch::look(const actors::node_info& node, time_point now) {
  figures_.sample(sample_of(node, application_), now);
  const auto view = figures_.view(now);
  auto out = run_figures::of(node);
  out.elapsed = now - start_;
  out.rate = view.rate;
  out.average_rate = view.average_rate;
  return out;
}

} // namespace penstock::tools
