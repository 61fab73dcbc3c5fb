// SPDX-License-Identifier: Apache-2.0
#include "runtime/control_tables.hpp"

namespace penstock::runtime {

void events_table::apply(std::int64_t offset, const control_record& command) {
  if (offset <= applied_)
    return;
  applied_ = offset;
  const auto* noted = std::get_if<event_noted>(&command);
  if (noted == nullptr)
    return;
  events_.push_back(*noted);
  if (events_.size() > kept)
    events_.pop_front();
}

} // namespace penstock::runtime
