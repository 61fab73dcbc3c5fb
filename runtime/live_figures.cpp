// SPDX-License-Identifier: Apache-2.0
#include "runtime/live_figures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace penstock::runtime {

namespace {

double per_second(std::uint64_t count, duration time) {
  return time > duration::zero() ? static_cast<double>(count) / std::chrono::duration<double>(time).count() : 0;
}

} // namespace

const char* name_of(enum stop_reason::kind what) {
  switch (what) {
  case stop_reason::kind::records:
    return "records";
  case stop_reason::kind::idle:
    return "idle";
  case stop_reason::kind::time:
    return "time";
  }
  return "unknown";
}

live_figures::live_figures(stop_spec stop_when, time_point start)
    : stop_when_(std::move(stop_when)), start_(start), last_processed_(start) {}

void live_figures::sample(const live_sample& what, time_point now) {
  const auto before = last_;
  const auto before_total = total();
  last_ = what;
  last_.records = std::max(what.records, before.records);
  last_.dead_letters = std::max(what.dead_letters, before.dead_letters);

  if (total() > before_total)
    last_processed_ = now;
  if (!what.models_ready)
    ready_since_.reset();
  else if (!ready_since_)
    ready_since_ = now;

  if (what.opened && !first_)
    first_ = mark{now, total()};
  if (!first_)
    return;
  marks_.push_back({now, total()});
  while (marks_.size() > 2 && marks_[1].at <= now - window)
    marks_.pop_front();
}

void live_figures::committed(duration latency) {
  latencies_.record(latency);
}

void live_figures::committed(const latency_histogram& latencies) {
  latencies_.merge(latencies);
}

live_view live_figures::view(time_point now) const {
  live_view seen;
  seen.elapsed = now - start_;
  seen.records = last_.records;
  seen.dead_letters = last_.dead_letters;
  seen.commits = last_.commits;
  seen.restarts = last_.restarts;
  seen.lags = last_.lags;
  seen.lag = std::accumulate(last_.lags.begin(), last_.lags.end(), std::uint64_t{0},
                             [](std::uint64_t sum, const auto& lag) { return sum + lag.records; });
  seen.mae = last_.mae;
  seen.rmse = last_.rmse;
  seen.commit_p50 = latencies_.quantile(0.5);
  seen.commit_p99 = latencies_.quantile(0.99);
  if (first_) {
    seen.processed = total() - first_->total;
    seen.average_rate = per_second(seen.processed, last_processed_ - first_->at);
    // What stands in the window: from the last mark at or before its beginning, or the first one there is.
    auto from = marks_.front();
    for (const auto& at : marks_)
      if (at.at <= now - window)
        from = at;
    seen.rate = per_second(total() - from.total, now - from.at);
  }
  return seen;
}

bool live_figures::is_idle(duration limit, time_point now) const {
  if (!ready_since_)
    return false;
  const auto stretched = last_.active_every ? std::max(limit, 2 * *last_.active_every) : limit;
  return now - std::max(last_processed_, *ready_since_) >= stretched;
}

std::optional<stop_reason> live_figures::stop(time_point now) {
  using kind = stop_reason::kind;
  if (stopped_)
    return stopped_;
  if (stop_when_.records && total() >= *stop_when_.records) {
    stopped_ = {kind::records,
                fmt::format("records: {} of {} processed", format_count(total()), format_count(*stop_when_.records))};
  } else if (stop_when_.idle && is_idle(*stop_when_.idle, now)) {
    stopped_ = {kind::idle, fmt::format("idle: nothing processed for {}",
                                        format_duration(now - std::max(last_processed_, *ready_since_)))};
  } else if (stop_when_.time && now - start_ >= *stop_when_.time) {
    stopped_ = {kind::time, fmt::format("time: {} have passed", format_duration(*stop_when_.time))};
  }
  return stopped_;
}

} // namespace penstock::runtime
