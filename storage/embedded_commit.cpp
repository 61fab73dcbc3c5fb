// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"
#include "base/fault_point.hpp"
#include "storage/embedded_log.hpp"
#include "storage/embedded_session.hpp"
#include "storage/embedded_store.hpp"
#include "storage/key_codec.hpp"
#include "storage/staged_commit.hpp"

#include <algorithm>
#include <csignal>

namespace penstock::storage {

namespace {

template <class T>
std::string encode_number(T value) {
  byte_writer out;
  out.number(value);
  return std::move(out).bytes();
}

bool contains(const std::vector<partition_id>& all, const partition_id& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

std::string fenced_text(const std::string& id, std::uint64_t mine, std::uint64_t newest) {
  return fmt::format("session {} has epoch {}, and epoch {} was opened since", id, mine, newest);
}

} // namespace

// -- appending ----------------------------------------------------------------

result<std::int64_t> embedded_log::append(const partition_id& to, const record_batch& records) {
  if (auto fine = writable(); !fine)
    return fine.error();
  staged_commit staged;
  if (auto added = staged.add(*table_, to, records, max_record_bytes()); !added)
    return added.error();
  std::lock_guard lock(write_mutex_);
  auto found = table_->find(to);
  if (!found)
    return found.error();
  if (auto placed = staged.place(*table_, store_->handle(embedded_store::family::blocks)); !placed)
    return placed.error();
  if (auto written = write(staged); !written)
    return written.error();
  publish(staged);
  return found->tail.end;
}

status embedded_log::write(staged_commit& staged) {
  const bool synced = options_.durability == durability::machine;
  if (staged.early.Count() > 0)
    if (auto written = store_->write(staged.early, synced); !written)
      return written;
  if (fault("storage.kill_before_write"))
    (void)std::raise(SIGKILL);
  if (staged.batch.Count() > 0)
    if (auto written = store_->write(staged.batch, synced); !written)
      return written;
  if (fault("storage.kill_after_write"))
    (void)std::raise(SIGKILL);
  return {};
}

void embedded_log::publish(const staged_commit& staged) {
  for (const auto& [ref, tail] : staged.tails()) {
    table_->set(ref, tail);
    watch_->appended(ref);
  }
}

// -- sessions -----------------------------------------------------------------

result<std::uint64_t> embedded_log::epoch_of(const std::string& session) {
  auto known = epochs_.find(session);
  if (known != epochs_.end())
    return known->second;
  auto stored = store_->read(embedded_store::family::meta, keys::epoch(session));
  if (!stored)
    return stored.error();
  auto epoch = *stored ? byte_reader(**stored).number<std::uint64_t>() : 0;
  epochs_[session] = epoch;
  return epoch;
}

result<opened_session> embedded_log::open_session(const session_spec& spec) {
  if (auto fine = writable(); !fine)
    return fine.error();
  if (spec.id.empty() || spec.group.empty())
    return fail(errc::invalid, "a session needs an id and a group");
  std::lock_guard lock(write_mutex_);
  opened_session out;
  for (const auto& input : spec.inputs) {
    auto offset = committed_in(spec.group, input);
    if (!offset)
      return offset.error();
    out.offsets.push_back(std::move(*offset));
  }
  auto last = epoch_of(spec.id);
  if (!last)
    return last.error();
  const auto epoch = *last + 1;
  rocksdb::WriteBatch batch;
  (void)batch.Put(store_->handle(embedded_store::family::meta), keys::epoch(spec.id), encode_number(epoch));
  if (auto written = store_->write(batch, true); !written)
    return written.error();
  epochs_[spec.id] = epoch;
  out.session = std::make_unique<embedded_session>(*this, spec, epoch);
  return out;
}

result<committed_offset> embedded_log::committed_in(const std::string& group, const partition_id& of) {
  auto found = table_->find(of);
  if (!found)
    return found.error();
  auto stored = store_->read(embedded_store::family::meta, keys::offset(found->ref.topic, of.partition, group));
  if (!stored)
    return stored.error();
  committed_offset out{of, std::nullopt};
  if (*stored)
    out.next = byte_reader(**stored).number<std::int64_t>();
  return out;
}

result<std::vector<committed_offset>> embedded_log::committed(const std::string& group,
                                                              const std::vector<partition_id>& of) {
  if (auto fine = healthy(); !fine)
    return fine.error();
  std::vector<committed_offset> out;
  for (const auto& each : of) {
    auto offset = committed_in(group, each);
    if (!offset)
      return offset.error();
    out.push_back(std::move(*offset));
  }
  return out;
}

result<std::optional<std::string>> embedded_log::read_state(const session_spec& who, std::uint64_t epoch,
                                                            const partition_id& of, std::string_view key) {
  if (auto fine = healthy(); !fine)
    return fine.error();
  if (!contains(who.states, of))
    return fail(errc::invalid, "session {} has not declared the state of {}", who.id, of.text());
  std::lock_guard lock(write_mutex_);
  auto newest = epoch_of(who.id);
  if (!newest)
    return newest.error();
  if (*newest != epoch)
    return fail(errc::conflict, "{}", fenced_text(who.id, epoch, *newest));
  return store_->read(embedded_store::family::state, keys::state(of, who.group, key));
}

// -- commit -------------------------------------------------------------------

status embedded_log::stage(staged_commit& into, const session_spec& who, const commit_request& request) {
  // Planted bug: with this fault on, a crash between the two writes loses the outputs.
  auto& batch = fault("storage.offsets_before_outputs") ? into.early : into.batch;
  for (const auto& [of, next] : request.offsets) {
    if (!contains(who.inputs, of))
      return fail(errc::invalid, "session {} has no input {}", who.id, of.text());
    auto found = table_->find(of);
    if (!found)
      return found.error();
    auto before = committed_in(who.group, of);
    if (!before)
      return before.error();
    if (next < before->next.value_or(0))
      return fail(errc::invalid, "offset {} of {} would go back from {}", next, of.text(), before->next.value_or(0));
    if (next > found->tail.end)
      return fail(errc::invalid, "offset {} of {} lies behind the end {}", next, of.text(), found->tail.end);
    (void)batch.Put(store_->handle(embedded_store::family::meta),
                    keys::offset(found->ref.topic, of.partition, who.group), encode_number(next));
  }
  auto* state = store_->handle(embedded_store::family::state);
  for (const auto& [of, key, value] : request.state) {
    if (!contains(who.states, of))
      return fail(errc::invalid, "session {} has not declared the state of {}", who.id, of.text());
    auto name = keys::state(of, who.group, key);
    if (value)
      (void)batch.Put(state, name, *value);
    else
      (void)batch.Delete(state, name);
  }
  return {};
}

commit_result embedded_log::commit(const session_spec& who, std::uint64_t epoch, const commit_request& request) {
  // The log can break on the way at any moment; then nobody knows what of this commit will be found.
  auto refused = [this](const error& why) -> commit_result {
    if (auto fine = healthy(); !fine)
      return {commit_outcome::in_doubt, fine.error().text()};
    return {commit_outcome::aborted, why.text()};
  };
  if (auto fine = healthy(); !fine)
    return refused(fine.error());
  staged_commit staged;
  for (const auto& [to, records] : request.outputs)
    if (auto added = staged.add(*table_, to, records, max_record_bytes()); !added)
      return refused(added.error());
  std::lock_guard lock(write_mutex_);
  auto newest = epoch_of(who.id);
  if (!newest)
    return refused(newest.error());
  if (*newest != epoch && !fault("storage.skip_epoch_check"))
    return {commit_outcome::fenced, fenced_text(who.id, epoch, *newest)};
  if (auto placed = staged.place(*table_, store_->handle(embedded_store::family::blocks)); !placed)
    return refused(placed.error());
  if (auto fine = stage(staged, who, request); !fine)
    return refused(fine.error());
  if (auto written = write(staged); !written)
    return {commit_outcome::in_doubt, written.error().text()};
  publish(staged);
  return {};
}

} // namespace penstock::storage
