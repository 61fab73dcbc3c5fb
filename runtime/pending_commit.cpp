// SPDX-License-Identifier: Apache-2.0
#include "runtime/pending_commit.hpp"

namespace penstock::runtime {

void pending_commit::add(const work_piece& piece, scored_range&& made, const storage::partition_id& dead_letters_to) {
  touched(piece.fetched);
  records_ += piece.range.count;
  bytes_ += piece.bytes;
  for (auto& output : made.outputs)
    add_output(std::move(output));
  add_output({dead_letters_to, std::move(made.dead_letters)});
}

void pending_commit::add_skip(time_point now) {
  touched(now);
}

void pending_commit::add_output(storage::output output) {
  if (output.records.empty())
    return;
  const auto [found, added] = last_.try_emplace(output.to, outputs_.size());
  if (!added) {
    auto& last = outputs_[found->second].records;
    if (last.size() + output.records.size() <= merged_records) {
      last.append(output.records);
      return;
    }
    found->second = outputs_.size();
  }
  outputs_.push_back(std::move(output));
}

std::vector<storage::output> pending_commit::take_outputs() {
  last_.clear();
  return std::move(outputs_);
}

} // namespace penstock::runtime
