// SPDX-License-Identifier: Apache-2.0
#include "tools/live_view.hpp"

#include "tools/training_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace penstock::tools {

namespace {

/// Cuts to so many columns, never inside a UTF-8 sequence; control characters become blanks.
std::string cut(std::string line, std::size_t width) {
  std::size_t columns = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const auto byte = static_cast<unsigned char>(line[i]);
    if (byte < 0x20 || byte == 0x7f)
      line[i] = ' ';
    if ((byte & 0xc0) != 0x80 && ++columns > width) {
      line.resize(i);
      break;
    }
  }
  return line;
}

std::string elapsed_text(duration elapsed) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(elapsed).count();
  return fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

/// `-` before there was a commit.
std::string latency(duration value) {
  return value == duration::zero() ? "-" : format_duration(value);
}

std::string source_text(const actors::source_info& source) {
  return fmt::format("{} {}/{}", source.name, format_count(source.produced), format_count(source.target));
}

double share_of(const actors::source_info& source) {
  return source.target == 0 ? 1 : static_cast<double>(source.produced) / static_cast<double>(source.target);
}

} // namespace

run_figures run_figures::of(const actors::node_info& node) {
  run_figures out;
  // Summed in the order of the partitions, however they lie on shards: sums of floats depend on it.
  std::map<storage::partition_id, const runtime::running_metrics*> metrics;
  for (const auto& shard : node.shards) {
    for (const auto& partition : shard.partitions) {
      metrics[partition.of] = &partition.metrics;
      out.lag += static_cast<std::uint64_t>(std::max<std::int64_t>(0, partition.end - partition.committed));
    }
    if (!shard.failure.empty())
      out.failures.push_back(shard.name + ": " + shard.failure);
  }
  for (const auto& [of, each] : metrics)
    out.metrics.merge(*each);
  for (const auto& source : node.sources)
    if (!source.failure.empty())
      out.failures.push_back(source.name + ": " + source.failure);
  out.restarts = node.restarts;
  out.process_restarts = node.process_restarts;
  out.commit_p50 = node.commit_p50;
  out.commit_p99 = node.commit_p99;
  out.sources = node.sources;
  return out;
}

std::string plain_line(const run_figures& figures) {
  const auto& m = figures.metrics;
  auto line = fmt::format("{} rate {:.0f}/s, committed {}, lag {}, dead letters {}, restarts {}",
                          elapsed_text(figures.elapsed), figures.rate, format_count(figures.processed()),
                          format_count(figures.lag), m.dead_letters, figures.restarts + figures.process_restarts);
  if (m.evaluated > 0)
    line += fmt::format(", MAE {:.4f}, RMSE {:.4f}", m.mae(), m.rmse());
  if (m.classified > 0)
    line += fmt::format(", accuracy {:.4f}, log-loss {:.4f}", m.accuracy(), m.log_loss());
  line += fmt::format(", commit p50 {} p99 {}", latency(figures.commit_p50), latency(figures.commit_p99));
  for (const auto& source : figures.sources)
    line += ", source " + source_text(source);
  const auto whole = line.size();
  return cut(std::move(line), whole);
}

std::vector<std::string> view_lines(const std::string& application, const run_figures& figures, std::size_t width) {
  const auto& m = figures.metrics;
  std::vector<std::string> out;
  const auto row = [&](const char* first, const std::string& value, const char* second, const std::string& other) {
    out.push_back(fmt::format("  {:<10} {:<16} {:<13} {}", first, value, second, other));
  };
  out.push_back(fmt::format("{}  {}", application, elapsed_text(figures.elapsed)));
  row("rate", fmt::format("{:.0f}/s", figures.rate), "lag", format_count(figures.lag));
  row("committed", format_count(figures.processed()), "dead letters", format_count(m.dead_letters));
  row("restarts", fmt::format("{} actors", figures.restarts), "process", std::to_string(figures.process_restarts));
  if (m.evaluated > 0)
    row("MAE", fmt::format("{:.4f}", m.mae()), "RMSE", fmt::format("{:.4f}", m.rmse()));
  if (m.classified > 0)
    row("accuracy", fmt::format("{:.4f}", m.accuracy()), "log-loss", fmt::format("{:.4f}", m.log_loss()));
  row("commit p50", latency(figures.commit_p50), "commit p99", latency(figures.commit_p99));
  for (const auto& source : figures.sources)
    out.push_back(fmt::format("  {:<10} {} {}{}", "source", bar(share_of(source), 24), source_text(source),
                              source.phase == "done" ? " done" : ""));
  for (const auto& failure : figures.failures)
    out.push_back("  ! " + failure);
  for (auto& line : out)
    line = cut(std::move(line), width);
  return out;
}

std::string redraw(const std::vector<std::string>& lines, std::size_t height) {
  const std::size_t most = height > 3 ? height - 2 : 1;
  const std::size_t count = std::min(lines.size(), most);
  std::string out = "\r\x1b[J\n";
  for (std::size_t i = 0; i < count; ++i)
    out += lines[i] + "\n";
  return out + fmt::format("\x1b[{}A", count + 1);
}

std::string print_above(const std::vector<std::string>& lines) {
  std::string out = "\r\x1b[J";
  for (const auto& line : lines)
    out += line + "\n";
  return out;
}

} // namespace penstock::tools
