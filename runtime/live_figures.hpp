// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.hpp"
#include "base/units.hpp"
#include "runtime/application.hpp"
#include "runtime/latency_histogram.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace penstock::runtime {

/// What an application has done so far, as somebody who looks at it finds it.
struct live_sample {
  struct stream_lag {
    std::string stream;
    std::uint64_t records = 0; ///< in its input and not committed
    bool operator==(const stream_lag&) const = default;
  };

  std::uint64_t records = 0;      ///< outputs committed by all streams, over all restarts
  std::uint64_t dead_letters = 0; ///< the same for records given up
  std::uint64_t commits = 0;      ///< of this process
  std::uint64_t restarts = 0;     ///< of actors, in this process
  std::vector<stream_lag> lags;   ///< one per stream
  double mae = 0;                 ///< running, over all records
  double rmse = 0;
  /// Every shard has read its state. Before that the totals are too low: no rate is made of them.
  bool opened = true;
  bool models_ready = true;             ///< every stream has a model
  std::optional<duration> active_every; ///< longest interval among the sources that still have rows; none = all done
};

/// Why a run ends by itself.
struct stop_reason {
  enum class kind : std::uint8_t { records, idle, time };
  kind what = kind::records;
  std::string text; ///< `records: 4,128 of 4,128 processed`
  bool operator==(const stop_reason&) const = default;
};
[[nodiscard]] const char* name_of(enum stop_reason::kind what);

/// The figures of the live view, and of the summary when it is the last one.
struct live_view {
  duration elapsed{};      ///< since the start of the run
  double rate = 0;         ///< records and dead letters per second, over the last `live_figures::window`
  double average_rate = 0; ///< the same since the first whole sample of this run, to the last record
  std::uint64_t records = 0;
  std::uint64_t dead_letters = 0;
  std::uint64_t processed = 0; ///< records and dead letters of this run alone
  std::uint64_t lag = 0;       ///< of all streams
  std::vector<live_sample::stream_lag> lags;
  std::uint64_t commits = 0;
  std::uint64_t restarts = 0;
  double mae = 0;
  double rmse = 0;
  duration commit_p50{};
  duration commit_p99{};
};

/// Makes rates and quantiles of what a run does, and decides when it has done enough. Pure: `now` comes with every call
/// and must not go back. Belongs to one thread. Nothing survives a crash; totals come back with the streams' state.
///
/// `stop_when`, the first that holds, and for good:
/// - `records`: outputs and dead letters of all streams, over all restarts, have reached the number.
/// - `idle`: every stream has a model, and since it has (or since the last record was processed, if that is later)
///   nothing was processed for that long. Sources that still have rows stretch it to twice their interval, so that a
///   slow source does not look like the end; a source that says it is running but brings nothing does not hold the run
///   up for ever.
/// - `time`: so much time has passed since the start.
class live_figures {
public:
  static constexpr duration window = std::chrono::seconds{5};

  live_figures(stop_spec stop_when, time_point start);

  // -- events -----------------------------------------------------------------

  /// Call it about every 100 ms to 1 s. Totals that fall (a shard that opens anew has not read its state yet) are held
  /// at their highest.
  void sample(const live_sample& what, time_point now);
  /// One commit took so long.
  void committed(duration latency);
  /// Latencies that somebody else has counted since the last call.
  void committed(const latency_histogram& latencies);

  // -- seen from outside ------------------------------------------------------

  [[nodiscard]] live_view view(time_point now) const;
  /// The condition that has been met, judged by the samples so far; none = go on.
  [[nodiscard]] std::optional<stop_reason> stop(time_point now);

private:
  struct mark {
    time_point at;
    std::uint64_t total = 0;
  };

  [[nodiscard]] std::uint64_t total() const { return last_.records + last_.dead_letters; }
  [[nodiscard]] bool is_idle(duration limit, time_point now) const;

  stop_spec stop_when_;
  time_point start_;
  live_sample last_;
  std::deque<mark> marks_;                ///< of the window, and one before it
  std::optional<mark> first_;             ///< first whole sample
  time_point last_processed_;             ///< when a total grew last; the start before that
  std::optional<time_point> ready_since_; ///< every stream has had a model since then
  latency_histogram latencies_;
  std::optional<stop_reason> stopped_;
};

} // namespace penstock::runtime
