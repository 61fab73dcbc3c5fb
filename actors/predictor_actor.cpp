// SPDX-License-Identifier: Apache-2.0
#include "actors/predictor_actor.hpp"

#include "base/clock.hpp"

#include <stdexcept>

namespace penstock::actors {

namespace {

/// The predictor's place in the crash journal, for as long as the actor lives.
class journal_slot {
public:
  journal_slot(runtime::crash_journal& journal, const std::string& group, const storage::partition_id& of)
      : journal_(journal) {
    auto slot = journal.take(group, of);
    if (!slot)
      throw std::runtime_error(slot.error().text());
    slot_ = *slot;
  }
  ~journal_slot() {
    journal_.end(slot_);
    journal_.give_back(slot_);
  }
  journal_slot(const journal_slot&) = delete;
  journal_slot& operator=(const journal_slot&) = delete;

  void begin(const storage::record_batch& records, runtime::record_range range, bool alone) {
    journal_.begin(slot_, records[range.first].offset, records[range.first + range.count - 1].offset, alone);
  }
  void end() { journal_.end(slot_); }

private:
  runtime::crash_journal& journal_;
  std::size_t slot_ = 0;
};

struct predictor_state {
  std::unique_ptr<runtime::scorer> scorer;
  std::unique_ptr<journal_slot> slot;
};

using self_pointer = shell<predictor_state>*;

std::unique_ptr<runtime::scorer> make_scorer(const predictor_setup& setup) {
  auto made = runtime::scorer::make(setup.stream, setup.input, setup.output_partitions);
  if (!made)
    throw std::runtime_error(made.error().text());
  return std::move(*made);
}

/// Scores one range and answers. A record's exception is an answer, not the end of the actor; the scratch memory that
/// it may have left half-written is thrown away. A configuration error is nobody's record's fault and ends the actor.
void score(self_pointer self, const predictor_setup& setup, const score_range& work, const caf::actor& shard) {
  auto& state = self->state;
  state.slot->begin(*work.records, work.range, work.alone);
  try {
    auto scored = state.scorer->score(*work.records, work.range, setup.of, *work.model, system_clock().wall(),
                                      work.max_output_bytes);
    state.slot->end();
    if (!scored)
      return self->fail(scored.error().text());
    self->send(shard,
               range_scored{work.epoch, work.batch, std::make_shared<runtime::scored_range>(std::move(*scored))});
  } catch (const std::exception& e) {
    state.slot->end();
    state.scorer = make_scorer(setup);
    self->record().set_cause(e.what());
    self->send(shard, range_failed{work.epoch, work.batch, e.what()});
  }
}

} // namespace

caf::actor spawn_predictor(caf::actor_system& system, std::shared_ptr<actor_record> record,
                           const predictor_setup& setup) {
  auto scorer = std::make_shared<std::unique_ptr<runtime::scorer>>(make_scorer(setup));
  auto start = [setup, scorer](self_pointer self) -> caf::behavior {
    self->state.scorer = std::move(*scorer);
    self->state.slot = std::make_unique<journal_slot>(*setup.journal, setup.group, setup.of);
    auto sender = [self] { return caf::actor_cast<caf::actor>(self->current_sender()); };
    return {
        [=](const score_range& work) { score(self, setup, work, sender()); },
        [=](const check_golden_row& check) {
          self->send(sender(),
                     golden_row_checked{check.epoch, check.batch, ml::golden_rows_hold(*check.model->package)});
        },
        [=](stop_actor) { self->finish(); },
    };
  };
  return system.spawn<shell<predictor_state>>(std::move(record), std::move(start));
}

} // namespace penstock::actors
