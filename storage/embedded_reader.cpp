// SPDX-License-Identifier: Apache-2.0
#include "storage/embedded_reader.hpp"

#include "storage/block_codec.hpp"

#include <algorithm>

namespace penstock::storage {

embedded_reader::embedded_reader(embedded_log& log)
    : log_(log), watch_(log.watch()), signal_(std::make_shared<append_signal>()) {}

embedded_reader::~embedded_reader() {
  watch_->unsubscribe(signal_.get());
}

status embedded_reader::assign(const std::vector<position>& positions) {
  if (auto fine = log_.healthy(); !fine)
    return fine;
  std::vector<cursor> cursors;
  std::vector<partition_ref> refs;
  for (const auto& each : positions) {
    auto found = log_.table().find(each.of);
    if (!found)
      return found.error();
    if (each.next < 0 || each.next > found->tail.end)
      return fail(errc::invalid, "cannot read {} from offset {}: its records end at {}", each.of.text(), each.next,
                  found->tail.end);
    cursors.push_back({each.of, found->ref, each.next, -1, false});
    refs.push_back(found->ref);
  }
  watch_->unsubscribe(signal_.get());
  cursors_ = std::move(cursors);
  turn_ = 0;
  watch_->subscribe(signal_, refs);
  return {};
}

void embedded_reader::wake() {
  signal_->raise_woken();
}

result<std::vector<fetched>> embedded_reader::poll(std::size_t max_records, std::size_t max_bytes, duration wait) {
  constexpr duration longest = std::chrono::hours(24);
  // A batch holds less than 4 GiB.
  const budget all{std::max<std::size_t>(max_records, 1), std::min(max_bytes, std::size_t{1} << 30)};
  const auto deadline = system_clock().now() + std::clamp(wait, duration::zero(), longest);
  for (;;) {
    signal_->clear_appended();
    if (auto fine = log_.healthy(); !fine)
      return fine.error();
    auto found = take(all);
    if (!found || !found->empty()) {
      (void)signal_->take_woken();
      return found;
    }
    if (signal_->wait_until(deadline) != append_signal::cause::appended)
      return found;
  }
}

result<std::vector<fetched>> embedded_reader::take(budget left) {
  std::vector<fetched> out;
  const auto count = cursors_.size();
  const auto first = turn_;
  for (std::size_t i = 0; i < count && left.records > 0 && (left.bytes > 0 || out.empty()); ++i) {
    auto& from = cursors_[(first + i) % count];
    auto got = take_from(from, left);
    if (!got)
      return got.error();
    if (!*got)
      continue;
    left.records -= (*got)->records.size();
    left.bytes -= std::min(left.bytes, (*got)->records.bytes());
    turn_ = (first + i + 1) % count;
    out.push_back(std::move(**got));
  }
  return out;
}

result<std::optional<fetched>> embedded_reader::take_from(cursor& from, const budget& left) {
  std::optional<fetched> out;
  auto tail = log_.table().tail(from.ref);
  if (!tail)
    return fail(errc::not_found, "topic {} was deleted while it was being read", from.name.topic);
  if (from.stalled || (from.next >= tail->start && from.next == tail->end))
    return out;
  constexpr std::size_t most_reserved = 10'000;
  fetched got;
  got.from = from.name;
  auto visited = log_.visit_blocks(from.ref, from.next, from.block, [&](const block_header& block) -> result<bool> {
    auto records = block_view::open(block, scratch_);
    if (!records)
      return records.error();
    auto index = static_cast<std::size_t>(from.next - block.base);
    auto wanted = block.count - index;
    auto room = left.records - got.records.size();
    if (got.records.empty())
      got.records.reserve(std::min({left.records, static_cast<std::size_t>(tail->end - from.next), most_reserved}), 0);
    auto taken = records->copy_to(got.records, index, room, left.bytes);
    from.next += static_cast<std::int64_t>(taken);
    from.block = taken == wanted ? from.next : block.base;
    return taken == wanted && got.records.size() < left.records && got.records.bytes() < left.bytes;
  });
  if (!visited && visited.error().code() != errc::try_again)
    return visited.error();
  if (got.records.empty()) {
    // Trimmed under us, before the first record: say from where on there is something.
    tail = log_.table().tail(from.ref);
    if (!tail)
      return fail(errc::not_found, "topic {} was deleted while it was being read", from.name.topic);
    got.gap = tail->start;
    from.stalled = true;
  }
  got.next = from.next;
  tail = log_.table().tail(from.ref);
  got.at_end = tail && from.next == tail->end;
  out = std::move(got);
  return out;
}

} // namespace penstock::storage
