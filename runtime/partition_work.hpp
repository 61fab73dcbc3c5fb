// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.hpp"
#include "runtime/scorer.hpp"
#include "storage/log.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace penstock::runtime {

/// Records that were in work when the process died of a signal, an endless loop or an OOM kill.
struct suspect {
  storage::partition_id of;
  std::int64_t first = 0; ///< offsets [first, last]
  std::int64_t last = 0;
  bool alone = false; ///< it was scored alone: this was its second death, it is condemned
  std::string death;  ///< `signal 11 (SIGSEGV)`, `watchdog`, `oom`
};

/// Records of one batch that are scored together.
struct work_piece {
  std::shared_ptr<const storage::record_batch> records;
  record_range range;
  std::uint64_t bytes = 0;    ///< its share of the batch
  std::int64_t next = 0;      ///< input offset to commit once it is done
  time_point fetched{};       ///< when its records came
  std::uint32_t failures = 0; ///< of exactly this range
  std::uint32_t attempts = 0; ///< failures of all ranges that it was part of
  std::uint32_t restarts = 0; ///< how often the predictor was sick after it
  bool halved = false;        ///< half of a range that failed twice
  bool alone = false;         ///< a suspect
  bool doomed = false;        ///< a suspect that died alone: condemned without being scored
  std::string cause;          ///< of its last failure, or its death

  [[nodiscard]] std::int64_t first_offset() const { return (*records)[range.first].offset; }
  [[nodiscard]] std::int64_t last_offset() const { return (*records)[range.first + range.count - 1].offset; }
};

/// The records of one input partition that wait for being scored, in order, one piece at a time, and what becomes of a
/// piece that fails.
///
///     idle ─begin─▶ scoring ─finish─▶ idle
///       ▲              │ fail: once more, then in halves; a single record twice
///       │              ▼
///       ├─ holds ── checking a golden row ── fails ─▶ restarting the predictor ◀─┐
///       │  (condemn)                                     │ holds: try again      │ fails, ≤ 3 in a row
///       └────────────────────────────────────────────────┴───────────────────────┘
///
/// Pure, belongs to one shard_task. Nothing survives a crash.
class partition_work {
public:
  static constexpr std::uint32_t max_restarts = 3;

  enum class step : std::uint8_t { idle, scoring, checking, restarting };
  /// What must happen after a failure or a golden row.
  enum class verdict : std::uint8_t {
    again,   ///< idle: begin the front piece, which may be smaller now
    check,   ///< ask for a golden row
    restart, ///< restart the predictor
    condemn, ///< the front piece, a single record, is to be given up
    give_up, ///< the predictor cannot be brought to score a golden row
  };

  // -- filling ----------------------------------------------------------------

  /// Takes what was fetched and cuts it into pieces of at most `max_records`, suspects into pieces of one.
  /// @param next  where reading goes on behind these records; may lie behind them even if there are none
  void add(storage::record_batch records, std::int64_t next, std::uint32_t max_records,
           const std::vector<suspect>& suspects, time_point now);
  /// Throws everything away, also what is awaited, except for a restart: if it came between a failure and the golden
  /// row of later work, a sick predictor would look sound, and a good record would be condemned.
  void clear();

  // -- work -------------------------------------------------------------------

  [[nodiscard]] bool empty() const { return pieces_.empty(); }
  [[nodiscard]] step now_at() const { return step_; }
  /// The piece in work, or the next one. Only when not empty.
  [[nodiscard]] const work_piece& front() const { return pieces_.front(); }

  /// The front piece is being scored under this number.
  void begin(std::uint64_t number);
  /// The golden row or the restart that was decided on is asked for under this number.
  void expect(std::uint64_t number) { awaited_ = number; }
  [[nodiscard]] bool awaits(std::uint64_t number) const { return step_ != step::idle && awaited_ == number; }

  /// The front piece is done: takes it out.
  [[nodiscard]] work_piece finish();
  [[nodiscard]] verdict failed(const std::string& cause);
  [[nodiscard]] verdict golden(bool holds);

private:
  void cut(const std::shared_ptr<const storage::record_batch>& records, record_range range, std::uint32_t max_records,
           time_point now);
  void halve();

  std::deque<work_piece> pieces_;
  step step_ = step::idle;
  std::uint64_t awaited_ = 0;
  std::uint32_t restarts_in_row_ = 0;
};

} // namespace penstock::runtime
