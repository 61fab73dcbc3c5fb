// SPDX-License-Identifier: Apache-2.0
#include "tests/support/simulated_log.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

namespace penstock::test {

using storage::commit_outcome;
using storage::commit_result;
using storage::partition_id;

// -- reader -------------------------------------------------------------------------

class simulated_reader : public storage::reader {
public:
  explicit simulated_reader(simulated_log& log) : log_(log) {}

  [[nodiscard]] status assign(const std::vector<storage::position>& positions) override {
    const std::lock_guard lock(log_.guard_);
    for (const auto& one : positions)
      if (auto there = log_.known(one.of); !there)
        return there;
    positions_ = positions;
    at_gap_.clear();
    turn_ = 0;
    return {};
  }

  [[nodiscard]] result<std::vector<storage::fetched>> poll(std::size_t max_records, std::size_t max_bytes,
                                                           duration wait) override {
    std::unique_lock lock(log_.guard_);
    std::vector<storage::fetched> out;
    log_.appended_.wait_for(lock, wait, [&] {
      out = take(max_records, max_bytes);
      return !out.empty() || woken_;
    });
    woken_ = false;
    return out;
  }

  void wake() override {
    const std::lock_guard lock(log_.guard_);
    woken_ = true;
    log_.appended_.notify_all();
  }

private:
  std::vector<storage::fetched> take(std::size_t max_records, std::size_t max_bytes) {
    std::vector<storage::fetched> out;
    std::size_t records = 0;
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < positions_.size() && records < max_records && bytes < max_bytes; ++i) {
      auto& from = positions_[(turn_ + i) % positions_.size()];
      auto one = take_from(from, max_records - records, max_bytes - bytes);
      records += one.records.size();
      bytes += one.records.bytes();
      if (one.gap ? !at_gap_.insert(from.of).second : one.next == from.next)
        continue;
      from.next = one.next;
      out.push_back(std::move(one));
    }
    ++turn_;
    return out;
  }

  [[nodiscard]] storage::fetched take_from(const storage::position& from, std::size_t max_records,
                                           std::size_t max_bytes) const {
    storage::fetched out;
    out.from = from.of;
    out.next = from.next;
    if (!log_.broker_->has(from.of))
      return out;
    const auto start = log_.broker_->log_start(from.of);
    if (from.next < start) {
      out.gap = start;
      return out;
    }
    const auto end = log_.broker_->last_stable(from.of);
    for (; out.next < end && out.records.size() < max_records && out.records.bytes() < max_bytes; ++out.next) {
      const auto* record = log_.broker_->visible(from.of, out.next);
      if (record == nullptr)
        continue;
      if (record->tombstone)
        out.records.add_tombstone(record->key, record->headers, record->timestamp, record->offset);
      else
        out.records.add(record->key, record->value, record->headers, record->timestamp, record->offset);
    }
    out.at_end = out.next >= end;
    return out;
  }

  simulated_log& log_;
  std::vector<storage::position> positions_;
  std::set<partition_id> at_gap_; ///< partitions that stand still
  std::size_t turn_ = 0;
  bool woken_ = false;
};

// -- session ------------------------------------------------------------------------

simulated_session::simulated_session(simulated_log& log, storage::session_spec spec, std::uint64_t epoch,
                                     std::uint64_t producer_epoch)
    : log_(log), spec_(std::move(spec)), epoch_(epoch), producer_epoch_(producer_epoch) {}

simulated_session::~simulated_session() {
  const std::lock_guard lock(log_.guard_);
  if (!vanished_ && open_ && log_.broker_->is_open(*open_) && is_current())
    log_.broker_->end(*open_, false);
  log_.appended_.notify_all();
}

bool simulated_session::is_current() const {
  return log_.broker_->is_current(spec_.id, producer_epoch_);
}

result<std::optional<std::string>> simulated_session::read_state(const partition_id& of, std::string_view key) {
  const std::lock_guard lock(log_.guard_);
  return log_.broker_->state_of(spec_.group, of, std::string(key));
}

commit_result simulated_session::commit(const storage::commit_request& request) {
  start(request);
  for (;;)
    if (auto ended = advance())
      return *ended;
}

void simulated_session::start(storage::commit_request request) {
  request_ = std::move(request);
  stage_ = 0;
}

std::optional<commit_result> simulated_session::advance() {
  const std::lock_guard lock(log_.guard_);
  if (dead_)
    return dead_;
  auto out = step();
  log_.appended_.notify_all();
  return out;
}

commit_result simulated_session::finish(commit_outcome outcome, std::string reason) {
  commit_result out{outcome, std::move(reason)};
  if (outcome == commit_outcome::fenced || (outcome == commit_outcome::in_doubt && !log_.options_.forgets_doubt))
    dead_ = out;
  return out;
}

std::optional<std::string> simulated_session::refusal() const {
  for (const auto& output : request_.outputs) {
    if (auto there = log_.known(output.to); !there)
      return there.error().text();
    for (std::size_t i = 0; i < output.records.size(); ++i) {
      const auto record = output.records[i];
      if (record.key.size() + record.value.size() + record.headers.size() > log_.options_.max_record_bytes)
        return "a record is larger than the log allows";
    }
  }
  for (const auto& position : request_.offsets)
    if (const auto there = log_.broker_->offset(spec_.group, position.of); there && position.next < *there)
      return fmt::format("offset {} of {} lies before the committed {}", position.next, position.of.text(), *there);
  return std::nullopt;
}

std::optional<commit_result> simulated_session::step() {
  if (!is_current())
    return finish(commit_outcome::fenced, "a newer session of " + spec_.id + " exists");
  const auto stage = stage_++;
  if (stage == 0 && log_.options_.offsets_first && !log_.options_.markers) {
    log_.broker_->apply(spec_.group, request_);
    return std::nullopt;
  }
  if (!log_.options_.markers)
    return commit_at_once();
  if (stage == 0)
    return begin();
  if (log_.chance(log_.faults_.lost_request))
    return finish(commit_outcome::in_doubt, "a request timed out");
  if (stage == request_.outputs.size() + 2)
    return end();
  // A stray end of an earlier transaction may have hit this one: the broker goes on in a new one.
  if (!log_.broker_->is_open(*open_))
    open_ = log_.broker_->begin(spec_.id, spec_.group, log_.now_);
  if (stage <= request_.outputs.size())
    log_.broker_->append(request_.outputs[stage - 1].to, request_.outputs[stage - 1].records, open_);
  else
    log_.broker_->add_offsets(*open_, request_);
  return std::nullopt;
}

std::optional<commit_result> simulated_session::begin() {
  if (auto why = refusal())
    return finish(commit_outcome::aborted, *why);
  if (open_ && log_.broker_->is_open(*open_))
    log_.broker_->end(*open_, false);
  if (std::exchange(renew_, false))
    producer_epoch_ = log_.broker_->fence(spec_.id);
  open_ = log_.broker_->begin(spec_.id, spec_.group, log_.now_);
  if (log_.options_.offsets_first)
    log_.broker_->apply(spec_.group, request_);
  return std::nullopt;
}

std::optional<commit_result> simulated_session::end() {
  if (log_.chance(log_.faults_.aborted)) {
    log_.broker_->end(*open_, false);
    return finish(commit_outcome::aborted, "the broker refused a request");
  }
  if (log_.chance(log_.faults_.late_end)) {
    log_.late_.push_back({spec_.id, producer_epoch_});
    return finish(commit_outcome::in_doubt, "the end of the transaction was not answered");
  }
  if (log_.broker_->is_open(*open_))
    log_.broker_->end(*open_, true);
  open_.reset();
  if (log_.chance(log_.faults_.lost_reply))
    return finish(commit_outcome::in_doubt, "the connection broke before the answer came");
  if (log_.chance(log_.faults_.repeated_end)) {
    log_.late_.push_back({spec_.id, producer_epoch_});
    renew_ = !log_.options_.no_renewal;
  }
  return finish(commit_outcome::committed, {});
}

commit_result simulated_session::commit_at_once() {
  if (auto why = refusal())
    return finish(commit_outcome::aborted, *why);
  if (log_.chance(log_.faults_.aborted))
    return finish(commit_outcome::aborted, "the write was refused");
  if (log_.chance(log_.faults_.lost_request))
    return finish(commit_outcome::in_doubt, "the write failed");
  for (const auto& output : request_.outputs)
    log_.broker_->append(output.to, output.records);
  log_.broker_->apply(spec_.group, request_);
  if (log_.chance(log_.faults_.lost_reply))
    return finish(commit_outcome::in_doubt, "the write was done, but not reported");
  return finish(commit_outcome::committed, {});
}

// -- log ------------------------------------------------------------------------------

simulated_log::simulated_log(simulated_log_options options, std::shared_ptr<simulated_broker> broker)
    : options_(options), broker_(std::move(broker)), random_(options.seed) {
  if (!broker_)
    broker_ = std::make_shared<simulated_broker>(options_.markers, options_.no_fencing);
}

simulated_log::~simulated_log() = default;

bool simulated_log::chance(double probability) {
  return probability > 0 && std::uniform_real_distribution<double>{}(random_) < probability;
}

void simulated_log::arrive(const late_end& end) {
  if (const auto open = broker_->open_of(end.producer); open && broker_->is_current(end.producer, end.epoch))
    broker_->end(*open, true);
}

void simulated_log::turn(time_point now) {
  const std::lock_guard lock(guard_);
  now_ = now;
  if (!late_.empty() && chance(0.05)) {
    const auto which = late_.begin() + static_cast<std::ptrdiff_t>(random_() % late_.size());
    const auto end = *which;
    late_.erase(which);
    arrive(end);
  }
  broker_->expire(now, options_.transaction_timeout);
  appended_.notify_all();
}

void simulated_log::settle() {
  const std::lock_guard lock(guard_);
  for (const auto& end : std::exchange(late_, {}))
    arrive(end);
  appended_.notify_all();
}

status simulated_log::known(const partition_id& of) const {
  if (!broker_->has(of))
    return fail(errc::not_found, "partition {} does not exist", of.text());
  return {};
}

status simulated_log::create_topic(const storage::topic_spec& spec) {
  const std::lock_guard lock(guard_);
  if (spec.partitions < 1)
    return fail(errc::invalid, "topic {} needs a partition at least", spec.name);
  const auto found = broker_->topics().find(spec.name);
  if (found != broker_->topics().end() && found->second.partitions != spec.partitions)
    return fail(errc::conflict, "topic {} exists with {} partitions, not {}", spec.name, found->second.partitions,
                spec.partitions);
  broker_->add_topic(spec);
  return {};
}

storage::topic_info simulated_log::info(const storage::topic_spec& spec) const {
  storage::topic_info out;
  out.spec = spec;
  for (std::int32_t i = 0; i < spec.partitions; ++i) {
    const partition_id of{spec.name, i};
    out.partitions.push_back({broker_->log_start(of), broker_->last_stable(of)});
    for (const auto* record : broker_->visible(of))
      if (record->offset >= broker_->log_start(of))
        out.bytes += record->key.size() + record->value.size() + record->headers.size();
  }
  return out;
}

result<std::vector<storage::topic_info>> simulated_log::topics() {
  const std::lock_guard lock(guard_);
  std::vector<storage::topic_info> out;
  for (const auto& [name, spec] : broker_->topics())
    out.push_back(info(spec));
  return out;
}

result<storage::topic_info> simulated_log::describe(const std::string& topic) {
  const std::lock_guard lock(guard_);
  const auto found = broker_->topics().find(topic);
  if (found == broker_->topics().end())
    return fail(errc::not_found, "topic {} does not exist", topic);
  return info(found->second);
}

status simulated_log::delete_topic(const std::string& topic) {
  const std::lock_guard lock(guard_);
  if (!broker_->topics().contains(topic))
    return fail(errc::not_found, "topic {} does not exist", topic);
  broker_->remove_topic(topic);
  return {};
}

status simulated_log::trim(const partition_id& of, std::int64_t before) {
  const std::lock_guard lock(guard_);
  if (auto there = known(of); !there)
    return there;
  broker_->trim(of, before);
  return {};
}

result<storage::offset_range> simulated_log::offsets(const partition_id& of) {
  const std::lock_guard lock(guard_);
  if (auto there = known(of); !there)
    return there.error();
  return storage::offset_range{broker_->log_start(of), broker_->last_stable(of)};
}

result<std::int64_t> simulated_log::offset_at(const partition_id& of, wall_time time) {
  const std::lock_guard lock(guard_);
  if (auto there = known(of); !there)
    return there.error();
  for (const auto* record : broker_->visible(of))
    if (record->timestamp >= time && record->offset >= broker_->log_start(of))
      return record->offset;
  return broker_->last_stable(of);
}

result<std::int64_t> simulated_log::append(const partition_id& to, const storage::record_batch& records) {
  const std::lock_guard lock(guard_);
  if (auto there = known(to); !there)
    return there.error();
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto record = records[i];
    if (record.key.size() + record.value.size() + record.headers.size() > options_.max_record_bytes)
      return fail(errc::invalid, "a record for {} is larger than the log allows ({} bytes)", to.text(),
                  options_.max_record_bytes);
  }
  const bool fails = chance(faults_.append_fails);
  if (fails && chance(0.5))
    return fail(errc::unavailable, "the append to {} did not arrive", to.text());
  const auto first = broker_->append(to, records);
  appended_.notify_all();
  if (fails)
    return fail(errc::unavailable, "the append to {} was not answered", to.text());
  return first;
}

result<std::unique_ptr<storage::reader>> simulated_log::open_reader() {
  return std::unique_ptr<storage::reader>(std::make_unique<simulated_reader>(*this));
}

result<storage::opened_session> simulated_log::open_session(const storage::session_spec& spec) {
  const std::lock_guard lock(guard_);
  for (const auto& input : spec.inputs)
    if (auto there = known(input); !there)
      return there.error();
  const bool fails = chance(faults_.open_fails);
  if (fails && chance(0.5))
    return fail(errc::timeout, "no coordinator for {}", spec.id);
  const auto producer_epoch = broker_->fence(spec.id);
  const auto epoch = broker_->count_opening(spec.id);
  appended_.notify_all();
  if (fails)
    return fail(errc::timeout, "opening {} was not answered", spec.id);
  storage::opened_session out;
  for (const auto& input : spec.inputs)
    out.offsets.push_back({input, broker_->offset(spec.group, input)});
  out.session = std::make_unique<simulated_session>(*this, spec, epoch, producer_epoch);
  return out;
}

result<std::vector<storage::committed_offset>> simulated_log::committed(const std::string& group,
                                                                        const std::vector<partition_id>& of) {
  const std::lock_guard lock(guard_);
  std::vector<storage::committed_offset> out;
  for (const auto& one : of)
    out.push_back({one, broker_->offset(group, one)});
  return out;
}

} // namespace penstock::test
