// SPDX-License-Identifier: Apache-2.0
#include "actors/node_metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

namespace penstock::actors {

node_metrics::stream_series node_metrics::stream(const std::string& application, const std::string& stream,
                                                 bool classes) {
  const metric_labels of{{"application", application}, {"stream", stream}};
  auto with = [&](const std::string& name, const std::string& value) {
    auto labels = of;
    labels[name] = value;
    return labels;
  };
  auto commits = [&](const char* outcome) {
    return &registry_.counter("penstock_commits_total", "Commits by their outcome.", with("outcome", outcome));
  };
  auto stage = [&](const char* name) {
    return &registry_.counter("penstock_stage_seconds_total", "Time spent in the stages of scoring.",
                              with("stage", name));
  };
  stream_series out{};
  out.outcomes = &registry_.counter("penstock_stream_records_total",
                                    "Input records with a committed outcome, an output or a dead letter.", of);
  out.records = &registry_.counter("penstock_predictions_total", "Output records committed.", of);
  out.dead_letters = &registry_.counter("penstock_dead_letters_total", "Input records given up as dead letters.", of);
  out.committed = commits("committed");
  out.aborted = commits("aborted");
  out.fenced = commits("fenced");
  out.in_doubt = commits("in_doubt");
  out.commit_seconds =
      &registry_.histogram("penstock_commit_duration_seconds", "Duration of commits.", of, latency_buckets());
  out.decode_seconds = stage("decode");
  out.predict_seconds = stage("predict");
  out.encode_seconds = stage("encode");
  if (classes) {
    out.accuracy = &registry_.gauge("penstock_model_accuracy", "Running share of records whose class is right.", of);
    out.log_loss = &registry_.gauge("penstock_model_log_loss", "Running logarithmic loss over all records.", of);
    return out;
  }
  out.mae = &registry_.gauge("penstock_model_mae", "Running mean absolute error over all records.", of);
  out.rmse = &registry_.gauge("penstock_model_rmse", "Running root mean squared error over all records.", of);
  return out;
}

void node_metrics::commit_took(duration took) {
  std::lock_guard lock{mutex_};
  commits_.record(took);
}

duration node_metrics::commit_quantile(double q) const {
  std::lock_guard lock{mutex_};
  return commits_.quantile(q);
}

} // namespace penstock::actors
