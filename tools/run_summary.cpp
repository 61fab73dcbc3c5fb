// SPDX-License-Identifier: Apache-2.0
#include "tools/run_summary.hpp"

#include "tools/model_text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace penstock::tools {

namespace {

double seconds(duration value) {
  return std::chrono::duration<double>(value).count();
}

document trainings_json(const std::vector<actors::training_info>& trainings) {
  document out = document::array();
  for (const auto& each : trainings)
    out.push_back({{"training", each.training},
                   {"state", each.state},
                   {"attempt", each.attempt},
                   {"reused", each.reused},
                   {"version", each.version},
                   {"digest", each.digest},
                   {"metrics", each.metrics}});
  return out;
}

document sources_json(const std::vector<actors::source_info>& sources) {
  document out = document::array();
  for (const auto& each : sources)
    out.push_back({{"source", each.name}, {"phase", each.phase}, {"produced", each.produced}, {"target", each.target}});
  return out;
}

std::string model_of(const runtime::application_spec& application, const std::string& training) {
  for (const auto& each : application.trainings)
    if (application.name + "/" + each.name == training)
      return each.model;
  return training;
}

/// A word as a shell takes it back.
std::string quoted(const std::string& word) {
  const bool plain = word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-:,=+") ==
                     std::string::npos;
  if (plain && !word.empty())
    return word;
  std::string out = "'";
  for (const char c : word)
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string training_line(const runtime::application_spec& application, const actors::training_info& training) {
  auto line = fmt::format("  model          {} version {} ({})", model_of(application, training.training),
                          training.version, training.digest.substr(0, 12));
  for (const auto& [name, value] : main_metrics(training.metrics))
    line += fmt::format(", {} {:.4f}", name, value);
  if (training.reused)
    line += ", reused: trained before from the same inputs";
  return line + "\n";
}

} // namespace

document summary_json(const runtime::application_spec& application, const run_end& end) {
  const auto& f = end.figures;
  document out{{"application", application.name},
               {"ended_by", end.reason},
               {"stop_when_fired", end.stopped_when},
               {"elapsed_seconds", seconds(f.elapsed)},
               {"records", f.metrics.records},
               {"dead_letters", f.metrics.dead_letters},
               {"nulls", f.metrics.nulls},
               {"evaluated", f.metrics.evaluated},
               {"mae", f.metrics.mae()},
               {"rmse", f.metrics.rmse()},
               {"lag", f.lag},
               {"rate_per_second", f.average_rate},
               {"restarts", f.restarts},
               {"process_restarts", f.process_restarts},
               {"commit_p50_seconds", seconds(f.commit_p50)},
               {"commit_p99_seconds", seconds(f.commit_p99)}};
  if (f.metrics.classified > 0) {
    out["classified"] = f.metrics.classified;
    out["accuracy"] = f.metrics.accuracy();
    out["log_loss"] = f.metrics.log_loss();
    out["precision"] = f.metrics.precision();
    out["recall"] = f.metrics.recall();
    out["f1"] = f.metrics.f1();
  }
  out["trainings"] = trainings_json(end.node.trainings);
  out["sources"] = sources_json(end.node.sources);
  out["failures"] = f.failures;
  out["data"] = end.data.string();
  out["log"] = end.log_url;
  out["further"] = further_commands(application, end);
  return out;
}

std::vector<std::string> further_commands(const runtime::application_spec& application, const run_end& end) {
  const auto log = " --log " + quoted(end.log_url);
  std::vector<std::string> out;
  if (!application.streams.empty())
    out.push_back("penstock topic consume " + application.streams.front().output_topic + log + " -o jsonl | head");
  out.push_back("penstock topic list" + log);
  out.push_back("penstock node --data " + quoted(end.data.string()) + " -f " + quoted(application.file.string()));
  return out;
}

std::string summary_text(const runtime::application_spec& application, const run_end& end) {
  const auto& f = end.figures;
  auto out = fmt::format("\n{} ended after {} by {}\n", application.name, format_duration(f.elapsed), end.reason);
  out += fmt::format("  records        {} scored, {} dead letters, {} left in the input\n",
                     format_count(f.metrics.records), format_count(f.metrics.dead_letters), format_count(f.lag),
                     f.average_rate);
  if (f.metrics.evaluated > 0)
    out += fmt::format("  running error  MAE {:.4f}, RMSE {:.4f} over {} records\n", f.metrics.mae(), f.metrics.rmse(),
                       format_count(f.metrics.evaluated));
  if (f.metrics.classified > 0)
    out += fmt::format("  accuracy       {:.4f} over {} records, log-loss {:.4f}\n", f.metrics.accuracy(),
                       format_count(f.metrics.classified), f.metrics.log_loss());
  if (f.metrics.positives + f.metrics.false_positives + f.metrics.false_negatives > 0)
    out += fmt::format("  second class   precision {:.4f}, recall {:.4f}, F1 {:.4f}\n", f.metrics.precision(),
                       f.metrics.recall(), f.metrics.f1());
  out += fmt::format("  commits        p50 {}, p99 {}\n", format_duration(f.commit_p50), format_duration(f.commit_p99));
  out += fmt::format("  restarts       {} of actors, {} of the process\n", f.restarts, f.process_restarts);
  for (const auto& training : end.node.trainings)
    if (training.state == "completed")
      out += training_line(application, training);
  for (const auto& failure : f.failures)
    out += "  failed         " + failure + "\n";
  out += "\nLook further:\n";
  for (const auto& command : further_commands(application, end))
    out += "  " + command + "\n";
  return out;
}

} // namespace penstock::tools
