// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/metric_registry.hpp"
#include "base/units.hpp"
#include "runtime/latency_histogram.hpp"
#include "storage/log.hpp"

#include <cstdint>
#include <mutex>
#include <string>

namespace penstock::actors {

/// The figures that actors of a node keep while they work. Thread-safe: series are atomics, looked up once per actor.
class node_metrics {
public:
  explicit node_metrics(metric_registry& registry) : registry_(registry) {}

  /// Series of one stream.
  struct stream_series {
    prometheus::Counter* outcomes;
    prometheus::Counter* records;
    prometheus::Counter* dead_letters;
    prometheus::Counter* committed;
    prometheus::Counter* aborted;
    prometheus::Counter* fenced;
    prometheus::Counter* in_doubt;
    prometheus::Histogram* commit_seconds;
    prometheus::Counter* decode_seconds;
    prometheus::Counter* predict_seconds;
    prometheus::Counter* encode_seconds;
    prometheus::Gauge* mae; ///< these two or the next two are there, the others null
    prometheus::Gauge* rmse;
    prometheus::Gauge* accuracy;
    prometheus::Gauge* log_loss;
  };
  /// @param classes  whether the stream's model classifies
  [[nodiscard]] stream_series stream(const std::string& application, const std::string& stream, bool classes);

  /// One commit of any shard, for the live view's quantiles.
  void commit_took(duration took);
  [[nodiscard]] duration commit_quantile(double q) const;

  [[nodiscard]] metric_registry& registry() { return registry_; }

private:
  metric_registry& registry_;
  mutable std::mutex mutex_;
  runtime::latency_histogram commits_;
};

} // namespace penstock::actors
