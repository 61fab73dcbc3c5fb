// SPDX-License-Identifier: Apache-2.0
#include "tests/support/simulated_broker.hpp"

#include <algorithm>

namespace penstock::test {

// -- topics -----------------------------------------------------------------------

void simulated_broker::add_topic(const storage::topic_spec& spec) {
  if (!topics_.emplace(spec.name, spec).second)
    return;
  for (std::int32_t i = 0; i < spec.partitions; ++i)
    partitions_.try_emplace({spec.name, i});
}

void simulated_broker::remove_topic(const std::string& name) {
  topics_.erase(name);
  std::erase_if(partitions_, [&](const auto& one) { return one.first.topic == name; });
}

void simulated_broker::trim(const storage::partition_id& of, std::int64_t before) {
  auto& p = partitions_.at(of);
  p.start = std::max(p.start, std::min(before, last_stable(of)));
}

std::int64_t simulated_broker::last_stable(const storage::partition_id& of) const {
  const auto& p = partitions_.at(of);
  auto out = static_cast<std::int64_t>(p.entries.size());
  for (const auto& [which, first] : p.open)
    out = std::min(out, first);
  return out;
}

// -- records ------------------------------------------------------------------------

std::int64_t simulated_broker::append(const storage::partition_id& to, const storage::record_batch& records,
                                      std::optional<transaction_id> in) {
  auto& p = partitions_.at(to);
  const auto first = static_cast<std::int64_t>(p.entries.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto record = records[i];
    p.entries.push_back({{static_cast<std::int64_t>(p.entries.size()), record.timestamp, std::string(record.key),
                          std::string(record.value), std::string(record.headers), record.tombstone},
                         in,
                         false});
  }
  if (in && p.open.try_emplace(*in, first).second)
    transactions_[*in].touched.push_back(to);
  return first;
}

const simulated_record* simulated_broker::visible(const storage::partition_id& of, std::int64_t offset) const {
  const auto& one = partitions_.at(of).entries.at(static_cast<std::size_t>(offset));
  if (one.marker || (one.in && transactions_[*one.in].state != state::committed))
    return nullptr;
  return &one.record;
}

std::vector<const simulated_record*> simulated_broker::visible(const storage::partition_id& of) const {
  std::vector<const simulated_record*> out;
  for (std::int64_t offset = 0; offset < last_stable(of); ++offset)
    if (const auto* record = visible(of, offset))
      out.push_back(record);
  return out;
}

// -- producers ------------------------------------------------------------------------

std::uint64_t simulated_broker::fence(const std::string& id) {
  if (!no_fencing_)
    if (const auto open = open_of(id))
      end(*open, false);
  return ++producers_[id].epoch;
}

bool simulated_broker::is_current(const std::string& id, std::uint64_t epoch) const {
  const auto found = producers_.find(id);
  return no_fencing_ || (found != producers_.end() && found->second.epoch == epoch);
}

simulated_broker::transaction_id simulated_broker::begin(const std::string& id, const std::string& group_name,
                                                         time_point now) {
  transactions_.push_back({id, group_name, now, state::open, {}, {}});
  return transactions_.size() - 1;
}

void simulated_broker::add_offsets(transaction_id which, const storage::commit_request& request) {
  transactions_[which].pending.offsets = request.offsets;
  transactions_[which].pending.state = request.state;
}

void simulated_broker::end(transaction_id which, bool commit) {
  auto& one = transactions_[which];
  one.state = commit ? state::committed : state::aborted;
  for (const auto& id : one.touched) {
    auto& p = partitions_.at(id);
    p.open.erase(which);
    if (markers_)
      p.entries.push_back({{static_cast<std::int64_t>(p.entries.size()), 0, {}, {}, {}, false}, which, true});
  }
  if (commit)
    apply(one.group, one.pending);
}

std::optional<simulated_broker::transaction_id> simulated_broker::open_of(const std::string& id) const {
  for (auto i = transactions_.size(); i-- > 0;)
    if (transactions_[i].producer == id && transactions_[i].state == state::open)
      return i;
  return std::nullopt;
}

void simulated_broker::expire(time_point now, duration timeout) {
  for (transaction_id i = 0; i < transactions_.size(); ++i) {
    if (transactions_[i].state != state::open || now - transactions_[i].began < timeout)
      continue;
    end(i, false);
    ++producers_[transactions_[i].producer].epoch;
  }
}

// -- groups -----------------------------------------------------------------------------

void simulated_broker::apply(const std::string& group_name, const storage::commit_request& request) {
  auto& to = groups_[group_name];
  for (const auto& position : request.offsets)
    to.offsets[position.of] = position.next;
  for (const auto& change : request.state) {
    if (change.value)
      to.state[{change.of, change.key}] = *change.value;
    else
      to.state.erase({change.of, change.key});
  }
}

std::optional<std::int64_t> simulated_broker::offset(const std::string& group_name,
                                                     const storage::partition_id& of) const {
  const auto found = groups_.find(group_name);
  if (found == groups_.end())
    return std::nullopt;
  const auto at = found->second.offsets.find(of);
  return at == found->second.offsets.end() ? std::nullopt : std::optional(at->second);
}

std::optional<std::string> simulated_broker::state_of(const std::string& group_name, const storage::partition_id& of,
                                                      const std::string& key) const {
  const auto found = groups_.find(group_name);
  if (found == groups_.end())
    return std::nullopt;
  const auto at = found->second.state.find({of, key});
  return at == found->second.state.end() ? std::nullopt : std::optional(at->second);
}

} // namespace penstock::test
