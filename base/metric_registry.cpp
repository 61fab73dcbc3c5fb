// SPDX-License-Identifier: Apache-2.0
#include "base/metric_registry.hpp"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <functional>
#include <mutex>
#include <stdexcept>

namespace penstock {

namespace {

/// prometheus-cpp writes HELP as it is; the format wants backslash and line feed escaped.
std::string escape_help(const std::string& help) {
  std::string out;
  for (const char c : help) {
    if (c == '\\')
      out += "\\\\";
    else if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out;
}

template <class T>
using families = std::map<std::string, prometheus::Family<T>*>;

} // namespace

struct metric_registry::content {
  prometheus::Registry registry{prometheus::Registry::InsertBehavior::Throw};
  std::mutex mutex;
  families<prometheus::Counter> counters;
  families<prometheus::Gauge> gauges;
  families<prometheus::Histogram> histograms;

  template <class T, class Builder>
  prometheus::Family<T>& family(families<T>& known, Builder builder, const std::string& name, const std::string& help) {
    const std::lock_guard lock(mutex);
    auto& found = known[name];
    if (found == nullptr) {
      try {
        found = &builder.Name(name).Help(escape_help(help)).Register(registry);
      } catch (...) {
        known.erase(name);
        throw;
      }
    }
    return *found;
  }
};

metric_registry::metric_registry() : content_(std::make_unique<content>()) {}

metric_registry::~metric_registry() = default;

prometheus::Counter& metric_registry::counter(const std::string& name, const std::string& help,
                                              const metric_labels& labels) {
  return content_->family<prometheus::Counter>(content_->counters, prometheus::BuildCounter(), name, help).Add(labels);
}

prometheus::Gauge& metric_registry::gauge(const std::string& name, const std::string& help,
                                          const metric_labels& labels) {
  return content_->family<prometheus::Gauge>(content_->gauges, prometheus::BuildGauge(), name, help).Add(labels);
}

prometheus::Histogram& metric_registry::histogram(const std::string& name, const std::string& help,
                                                  const metric_labels& labels, const std::vector<double>& bounds) {
  if (std::ranges::adjacent_find(bounds, std::greater_equal<>{}) != bounds.end())
    throw std::invalid_argument("the bucket bounds of " + name + " do not ascend");
  return content_->family<prometheus::Histogram>(content_->histograms, prometheus::BuildHistogram(), name, help)
      .Add(labels, bounds);
}

std::string metric_registry::exposition() const {
  return prometheus::TextSerializer().Serialize(content_->registry.Collect());
}

std::size_t metric_registry::series() const {
  std::size_t count = 0;
  for (const auto& family : content_->registry.Collect())
    for (const auto& metric : family.metric)
      count += family.type == prometheus::MetricType::Histogram ? metric.histogram.bucket.size() + 2 : 1;
  return count;
}

const std::vector<double>& latency_buckets() {
  static const std::vector<double> bounds{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                          0.05,   0.1,     0.25,   0.5,   1.0,    2.5,   5.0,  10.0};
  return bounds;
}

} // namespace penstock
