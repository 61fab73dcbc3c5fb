// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/observed_actor.hpp"
#include "actors/protocol.hpp"
#include "runtime/crash_journal.hpp"

#include <memory>
#include <string>

namespace penstock::actors {

/// What a predictor of one input partition is made of.
struct predictor_setup {
  runtime::stream_spec stream;
  ml::schema input;
  std::int32_t output_partitions = 1;
  storage::partition_id of;
  std::string group; ///< of the stream, as in the crash journal
  runtime::crash_journal* journal = nullptr;
};

/// Decodes, predicts and encodes ranges of one partition. Stateless between messages, so its restart costs nothing.
/// Every range is noted in the crash journal while it is in work.
///
/// score_range → range_scored | range_failed · check_golden_row → golden_row_checked · stop_actor
[[nodiscard]] caf::actor spawn_predictor(caf::actor_system& system, std::shared_ptr<actor_record> record,
                                         const predictor_setup& setup);

} // namespace penstock::actors
