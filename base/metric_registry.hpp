// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
} // namespace prometheus

namespace penstock {

using metric_labels = std::map<std::string, std::string>;

/// The node's counters, gauges and histograms (prometheus-cpp core). Names carry the prefix `penstock_`, base units and
/// `_total` for counters. References stay valid as long as the registry lives: look a series up once and keep it.
/// Thread-safe; the series themselves are atomics. A name that Prometheus does not allow, one that is used for two
/// kinds and bounds that do not ascend are bugs of the caller and throw std::invalid_argument.
class metric_registry {
public:
  metric_registry();
  ~metric_registry();
  metric_registry(const metric_registry&) = delete;
  metric_registry& operator=(const metric_registry&) = delete;

  prometheus::Counter& counter(const std::string& name, const std::string& help, const metric_labels& labels = {});
  prometheus::Gauge& gauge(const std::string& name, const std::string& help, const metric_labels& labels = {});
  /// @param bounds  upper bounds of the buckets, ascending
  prometheus::Histogram& histogram(const std::string& name, const std::string& help, const metric_labels& labels,
                                   const std::vector<double>& bounds);

  /// Everything in Prometheus' text exposition format 0.0.4.
  [[nodiscard]] std::string exposition() const;
  /// How many time series there are, each bucket, sum and count of a histogram being one; at most 5,000 per node.
  [[nodiscard]] std::size_t series() const;

private:
  struct content;
  std::unique_ptr<content> content_;
};

/// Bucket bounds for latencies from 100 µs to 10 s, in seconds.
[[nodiscard]] const std::vector<double>& latency_buckets();

} // namespace penstock
