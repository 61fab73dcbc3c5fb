// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.hpp"
#include "runtime/partition_work.hpp"
#include "runtime/scorer.hpp"
#include "storage/log.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace penstock::runtime {

/// Outputs and dead letters that have been made and wait for the next commit, in the order in which they were made.
/// Belongs to one shard_task; nothing survives a crash.
class pending_commit {
public:
  /// Batches are moved in; small ones for the same partition are put together, up to this many records.
  static constexpr std::size_t merged_records = 1000;

  /// Takes what became of a piece of work.
  /// @param dead_letters_to  where its dead letters go
  void add(const work_piece& piece, scored_range&& made, const storage::partition_id& dead_letters_to);
  /// A position that moved without a record: it is worth a commit too.
  void add_skip(time_point now);

  [[nodiscard]] bool empty() const { return !oldest_; }
  [[nodiscard]] std::uint64_t records() const { return records_; } ///< input records
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }     ///< of their batches
  [[nodiscard]] time_point oldest() const { return *oldest_; }     ///< when the first of them was fetched
  [[nodiscard]] std::vector<storage::output> take_outputs();
  void clear() { *this = {}; }

private:
  void add_output(storage::output output);
  void touched(time_point at) { oldest_ = oldest_ ? std::min(*oldest_, at) : at; }

  std::vector<storage::output> outputs_;
  std::map<storage::partition_id, std::size_t> last_; ///< index of a partition's last output
  std::uint64_t records_ = 0;
  std::uint64_t bytes_ = 0;
  std::optional<time_point> oldest_;
};

} // namespace penstock::runtime
