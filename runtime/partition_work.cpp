// SPDX-License-Identifier: Apache-2.0
#include "runtime/partition_work.hpp"

#include "base/fault_point.hpp"

#include <algorithm>
#include <utility>

namespace penstock::runtime {

namespace {

/// The suspect that an offset belongs to; one that died alone goes before the others.
const suspect* suspicion(const std::vector<suspect>& suspects, std::int64_t offset) {
  const suspect* found = nullptr;
  for (const auto& one : suspects)
    if (one.first <= offset && offset <= one.last && (found == nullptr || one.alone))
      found = &one;
  return found;
}

bool any_suspect(const std::vector<suspect>& suspects, std::int64_t first, std::int64_t last) {
  return std::ranges::any_of(suspects, [&](const suspect& one) { return one.first <= last && first <= one.last; });
}

} // namespace

void partition_work::add(storage::record_batch records, std::int64_t next, std::uint32_t max_records,
                         const std::vector<suspect>& suspects, time_point now) {
  if (!records.empty()) {
    const auto count = static_cast<std::uint32_t>(records.size());
    const auto shared = std::make_shared<const storage::record_batch>(std::move(records));
    if (!any_suspect(suspects, (*shared)[0].offset, (*shared)[count - 1].offset)) {
      cut(shared, {0, count}, max_records, now);
    } else {
      std::uint32_t begun = 0; // of the records without suspicion that come before
      for (std::uint32_t i = 0; i < count; ++i) {
        const auto* by = suspicion(suspects, (*shared)[i].offset);
        if (by == nullptr)
          continue;
        cut(shared, {begun, i - begun}, max_records, now);
        cut(shared, {i, 1}, 1, now);
        pieces_.back().alone = true;
        pieces_.back().doomed = by->alone;
        pieces_.back().cause = by->death;
        begun = i + 1;
      }
      cut(shared, {begun, count - begun}, max_records, now);
    }
  }
  if (!pieces_.empty())
    pieces_.back().next = next;
}

void partition_work::cut(const std::shared_ptr<const storage::record_batch>& records, record_range range,
                         std::uint32_t max_records, time_point now) {
  const auto share = [&](std::uint32_t index) { return records->bytes() * index / records->size(); };
  while (range.count > 0) {
    work_piece piece;
    piece.records = records;
    piece.range = {range.first, std::min(range.count, max_records)};
    range.first += piece.range.count;
    range.count -= piece.range.count;
    piece.bytes = share(range.first) - share(piece.range.first);
    piece.next = piece.last_offset() + 1;
    piece.fetched = now;
    pieces_.push_back(std::move(piece));
  }
}

void partition_work::clear() {
  pieces_.clear();
  if (step_ != step::restarting)
    step_ = step::idle;
}

void partition_work::begin(std::uint64_t number) {
  step_ = step::scoring;
  awaited_ = number;
}

work_piece partition_work::finish() {
  step_ = step::idle;
  auto done = std::move(pieces_.front());
  pieces_.pop_front();
  return done;
}

partition_work::verdict partition_work::failed(const std::string& cause) {
  auto& piece = pieces_.front();
  ++piece.failures;
  ++piece.attempts;
  piece.cause = cause;
  step_ = step::idle;
  const bool single = piece.range.count == 1;
  if (piece.failures < 2 && (single || !piece.halved))
    return verdict::again;
  if (!single) {
    halve();
    return verdict::again;
  }
  if (fault("shard_task.condemn_unchecked"))
    return verdict::condemn;
  step_ = step::checking;
  return verdict::check;
}

void partition_work::halve() {
  auto left = std::move(pieces_.front());
  pieces_.pop_front();
  left.failures = 0;
  left.halved = true;
  auto right = left;
  left.range.count /= 2;
  left.bytes = left.bytes * left.range.count / right.range.count;
  left.next = left.last_offset() + 1;
  right.range.first += left.range.count;
  right.range.count -= left.range.count;
  right.bytes -= left.bytes;
  pieces_.push_front(std::move(right));
  pieces_.push_front(std::move(left));
}

partition_work::verdict partition_work::golden(bool holds) {
  if (pieces_.empty()) {
    step_ = step::idle;
    return verdict::again;
  }
  auto& piece = pieces_.front();
  const bool restarted = step_ == step::restarting;
  if (holds) {
    step_ = step::idle;
    restarts_in_row_ = 0;
    // After so many fresh predictors that scored a golden row and fell over this record, it is the record.
    if (!restarted || piece.restarts >= max_restarts)
      return verdict::condemn;
    piece.failures = 0;
    return verdict::again;
  }
  if (restarts_in_row_ >= max_restarts)
    return verdict::give_up;
  ++restarts_in_row_;
  piece.restarts += restarted ? 0 : 1;
  step_ = step::restarting;
  return verdict::restart;
}

} // namespace penstock::runtime
