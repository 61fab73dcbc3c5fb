// SPDX-License-Identifier: Apache-2.0
#include "runtime/shard_state.hpp"
#include "tests/support/simulated_schedule.hpp"

#include <charconv>
#include <map>
#include <set>

namespace penstock::test {

namespace {

/// What became of one input record, as the log shows it.
struct outcome {
  std::uint64_t outputs = 0;
  std::uint64_t dead_letters = 0;
  std::uint64_t generation = 0;
  double predicted = 0;
  std::string cause;
};
using outcomes = std::map<std::pair<std::int32_t, std::int64_t>, outcome>; ///< by input partition and offset

std::string at(std::int32_t partition, std::int64_t offset) {
  return "in/" + std::to_string(partition) + " offset " + std::to_string(offset);
}

/// Counts the visible records of each commit.
void count_commit(const simulated_record& record, std::map<std::uint64_t, std::uint64_t>& visible) {
  const auto text = storage::find_header(record.headers, commit_ledger::header);
  std::uint64_t number = 0;
  if (text)
    std::from_chars(text->data(), text->data() + text->size(), number);
  ++visible[number];
}

/// None lost, none twice, in order per key's partition: the rows in the input topic.
void check_source(simulated_world& world, std::map<std::uint64_t, std::uint64_t>& visible) {
  std::set<std::uint64_t> rows;
  for (std::int32_t i = 0; i < world.settings.partitions; ++i) {
    std::optional<std::uint64_t> last;
    for (const auto* record : world.log.broker().visible(world.input(i))) {
      count_commit(*record, visible);
      const auto row = row_of(record->value);
      if (!rows.insert(row).second)
        world.violate("row " + std::to_string(row) + " was produced twice");
      if (last && row <= *last)
        world.violate("row " + std::to_string(row) + " comes after row " + std::to_string(*last));
      last = row;
    }
  }
  if (rows.size() != world.settings.rows)
    world.violate("the source produced " + std::to_string(rows.size()) + " of " + std::to_string(world.settings.rows) +
                  " rows");
}

void collect_outputs(simulated_world& world, outcomes& all, std::map<std::uint64_t, std::uint64_t>& visible) {
  for (std::int32_t i = 0; i < world.settings.output_partitions; ++i) {
    std::map<std::int32_t, std::int64_t> last;
    for (const auto* record : world.log.broker().visible({"out", i})) {
      count_commit(*record, visible);
      const auto text = output_text::decode(record->value);
      if (!text)
        return world.violate("an output cannot be read");
      auto& one = all[{text->from.partition, text->offset}];
      ++one.outputs;
      one.generation = text->generation;
      one.predicted = text->predicted;
      if (text->predicted != predicted_for(text->row, text->generation))
        world.violate(at(text->from.partition, text->offset) + " has a wrong prediction");
      const auto [found, first] = last.try_emplace(text->from.partition, text->offset);
      if (!first && text->offset <= std::exchange(found->second, text->offset))
        world.violate(at(text->from.partition, text->offset) + " is out of order in out/" + std::to_string(i));
    }
  }
}

void collect_dead_letters(simulated_world& world, outcomes& all, std::map<std::uint64_t, std::uint64_t>& visible) {
  for (std::int32_t i = 0; i < world.settings.partitions; ++i) {
    std::int64_t last = -1;
    for (const auto* record : world.log.broker().visible({"dead", i})) {
      count_commit(*record, visible);
      const auto input = storage::find_header(record->headers, "input");
      if (!input)
        return world.violate("a dead letter does not name its input");
      std::int64_t offset = -1;
      const auto slash = input->rfind('/');
      std::from_chars(input->data() + slash + 1, input->data() + input->size(), offset);
      if (offset <= last)
        world.violate(at(i, offset) + " is out of order in its dead letters");
      last = offset;
      auto& one = all[{i, offset}];
      ++one.dead_letters;
      one.cause = storage::find_header(record->headers, "cause").value_or("");
    }
  }
}

/// Each input record has one outcome, and the right one.
void check_outcome(simulated_world& world, std::int32_t partition, const simulated_record& record, const outcomes& all,
                   std::int64_t log_start, std::uint64_t& lost) {
  const auto found = all.find({partition, record.offset});
  const auto where = at(partition, record.offset);
  if (found == all.end()) {
    ++lost;
    if (!world.settings.retention || record.offset >= log_start)
      world.violate(where + " was lost");
    return;
  }
  const auto& one = found->second;
  if (one.outputs + one.dead_letters != 1)
    return world.violate(where + " has " + std::to_string(one.outputs) + " outputs and " +
                         std::to_string(one.dead_letters) + " dead letters");
  const auto kind = world.kind_of(row_of(record.value));
  if (kind == row_kind::good && one.dead_letters != 0)
    world.violate(where + " is good and was condemned: " + one.cause);
  if (kind != row_kind::good && one.outputs != 0)
    world.violate(where + " must not be scored");
}

/// The state is the fold of the inputs below the committed offset, bit for bit, and generations never fall.
void check_partition(simulated_world& world, std::int32_t partition, const outcomes& all) {
  const auto& broker = world.log.broker();
  const auto of = world.input(partition);
  const auto offset = broker.offset(group_name, of);
  const auto encoded = broker.state_of(group_name, of, runtime::shard_task::state_key);
  runtime::running_metrics wanted;
  std::uint64_t lost = 0;
  std::uint64_t generation = 0;
  for (const auto* record : broker.visible(of)) {
    check_outcome(world, partition, *record, all, broker.log_start(of), lost);
    const auto found = all.find({partition, record->offset});
    if (found == all.end())
      continue;
    if (!offset || record->offset >= *offset)
      world.violate(at(partition, record->offset) + " has an outcome and is not committed");
    if (found->second.dead_letters != 0) {
      ++wanted.dead_letters;
      continue;
    }
    ++wanted.records;
    wanted.add(actual_of(row_of(record->value)), found->second.predicted);
    if (found->second.generation < generation)
      world.violate(at(partition, record->offset) + ": the generation falls");
    generation = found->second.generation;
  }
  if (!encoded)
    return broker.visible(of).size() == lost ? void() : world.violate(of.text() + " has no state");
  const auto state = runtime::shard_state::decode(*encoded);
  if (!state || state->metrics != wanted)
    world.violate(of.text() + ": its state is not the fold of its inputs");
  else if (state->next != offset || state->generation < generation || state->skipped < lost)
    world.violate(of.text() + ": its state does not fit offset, generation or skipped records");
}

/// All or none of each commit is visible, and as its outcome says.
void check_commits(simulated_world& world, const std::map<std::uint64_t, std::uint64_t>& visible) {
  const auto& entries = world.ledger.entries;
  for (std::uint64_t i = 0; i < entries.size(); ++i) {
    const auto found = visible.find(i);
    const auto seen = found == visible.end() ? 0 : found->second;
    const auto name = "commit " + std::to_string(i);
    if (seen != 0 && seen != entries[i].records)
      world.violate(name + " is torn: " + std::to_string(seen) + " of " + std::to_string(entries[i].records) +
                    " records");
    if (!entries[i].outcome)
      continue;
    const auto outcome = *entries[i].outcome;
    if (outcome == storage::commit_outcome::committed && seen != entries[i].records)
      world.violate(name + " was reported as committed and is not visible");
    if ((outcome == storage::commit_outcome::aborted || outcome == storage::commit_outcome::fenced) && seen != 0)
      world.violate(name + " was aborted or fenced and is visible");
  }
}

} // namespace

void check_invariants(simulated_world& world) {
  std::map<std::uint64_t, std::uint64_t> visible;
  outcomes all;
  check_source(world, visible);
  collect_outputs(world, all, visible);
  collect_dead_letters(world, all, visible);
  for (std::int32_t i = 0; i < world.settings.partitions; ++i)
    check_partition(world, i, all);
  check_commits(world, visible);
}

bool is_complete(const simulated_world& world) {
  const auto& broker = world.log.broker();
  std::uint64_t rows = 0;
  for (std::int32_t i = 0; i < world.settings.partitions; ++i) {
    const auto of = world.input(i);
    const auto records = broker.visible(of);
    rows += records.size();
    if (records.empty() || records.back()->offset < broker.log_start(of))
      continue;
    const auto offset = broker.offset(group_name, of);
    if (!offset || records.back()->offset >= *offset)
      return false;
  }
  return rows >= world.settings.rows;
}

} // namespace penstock::test
