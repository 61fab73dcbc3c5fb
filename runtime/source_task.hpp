// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "ml/data_set.hpp"
#include "runtime/application.hpp"
#include "storage/log.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace penstock::runtime {

/// Where a source stands in its file. Its durable form is the value of its state, committed with the records.
struct source_position {
  std::string path;
  std::uint64_t size = 0; ///< of the file, bytes
  std::string digest;     ///< SHA-256 of the file
  std::uint64_t next = 0; ///< row of the data set (of the chosen part) that comes next
  bool operator==(const source_position&) const = default;

  [[nodiscard]] std::string encode() const;
  [[nodiscard]] static result<source_position> decode(std::string_view bytes);
};

struct source_settings {
  std::string application;
  source_spec source;
  std::int32_t partitions = 1;    ///< of the topic
  storage::session_spec session;  ///< no inputs; one state: {source's name, 0}
  source_position file;           ///< identity of the file as it is now; `next` unused
  std::uint64_t rows = 0;         ///< of the data set, times its repetitions
  std::uint32_t max_batch = 1000; ///< records per commit
  duration min_commit_gap = std::chrono::milliseconds{2};
  duration retry_backoff = std::chrono::milliseconds{50}; ///< after aborted, fenced, in_doubt; doubles to 2 s
  std::uint32_t open_attempts = 10;                       ///< as in `shard_settings`
  bool unavailable_is_final = true;                       ///< as in `shard_settings`
};

namespace source {

struct open {
  storage::session_spec spec;
};
/// Make records of rows [first, first + count) with `source_encoder`, commit them with `state`; answer with
/// `committed`.
struct produce {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  storage::state_change state;
};
struct close_session {};
struct check_assignment {};
struct wake_at {
  time_point at;
};
/// At the end of the data, stopped, or failed; see `source_task::phase`.
struct finished {};
struct notice {
  std::string event;
  std::string text;
};

using action = std::variant<open, produce, close_session, check_assignment, wake_at, finished, notice>;

} // namespace source

/// Decides what a source does: rows in order at their rate, each exactly once, over any number of restarts. The
/// position is committed together with the records, so killed and restarted it neither skips nor repeats a row.
///
///     created ─start─▶ opening ─opened─▶ running ─last row committed─▶ done
///                         ▲                │ └── changed file, error ─▶ failed       stop: ─▶ closed
///                         └─── backoff ◀── fenced and still ours, in_doubt
///
/// Rows that fall due within 20 ms share a commit. After a pause (restart, slow commit) it does not burst: what is more
/// than 100 ms behind is put off, and the schedule goes on from now. A file is the same when size and SHA-256 are the
/// same, whatever its path. A source that is done stays done over restarts. Failed openings are treated as in
/// `shard_task`.
/// Pure decision, as `shard_task`.
class source_task {
public:
  enum class phase : std::uint8_t { created, opening, running, backoff, done, closed, failed };
  using actions = std::vector<source::action>;
  static constexpr const char* state_key = "position";

  explicit source_task(source_settings settings);
  ~source_task();
  source_task(source_task&&) noexcept;

  [[nodiscard]] actions start(time_point now);
  /// `errc::invalid` in `failure()` when the file is not the one that the committed position speaks of.
  [[nodiscard]] actions opened(std::uint64_t epoch, const std::optional<std::string>& state, time_point now);
  [[nodiscard]] actions open_failed(const error& why, time_point now);
  [[nodiscard]] actions committed(const storage::commit_result& result, time_point now);
  [[nodiscard]] actions assignment_checked(bool still_ours, time_point now);
  [[nodiscard]] actions tick(time_point now);
  [[nodiscard]] actions stop(time_point now);

  [[nodiscard]] enum phase phase() const;
  [[nodiscard]] const std::optional<error>& failure() const;
  [[nodiscard]] std::uint64_t produced() const; ///< rows committed so far, over all restarts
  [[nodiscard]] std::uint64_t target() const;   ///< rows it will produce in all

private:
  struct content;
  std::unique_ptr<content> content_;
};

[[nodiscard]] const char* name_of(enum source_task::phase phase);

/// Makes records of rows: JSON objects with the fields of `source_spec::record` in order, keyed by the key field's
/// text (empty when it is missing), sent to the partition that Kafka's default partitioner gives the key; without a key
/// field the rows go round. Deterministic;
/// missing values and numbers that are not finite are null.
class source_encoder {
public:
  /// `errc::configuration` when a column does not exist (with the nearest one that does), or the key is no field.
  [[nodiscard]] static result<source_encoder> make(const source_spec& source, std::int32_t partitions,
                                                   std::shared_ptr<const ml::data_set> data);
  /// Rows [first, first + count), which must exist; one output per partition that gets records.
  [[nodiscard]] std::vector<storage::output> encode(std::uint64_t first, std::uint64_t count, wall_time now) const;

private:
  source_encoder() = default;
  std::string topic_;
  std::int32_t partitions_ = 1;
  std::shared_ptr<const ml::data_set> data_;
  std::vector<std::string> names_;                   ///< one per field, with the JSON that comes before its value
  std::vector<const ml::data_set::column*> columns_; ///< one per field; null for $index
  std::optional<std::size_t> key_;                   ///< index of the field that is the key
};

} // namespace penstock::runtime
