// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/block_codec.hpp"
#include "storage/topic_table.hpp"

#include <rocksdb/write_batch.h>

#include <map>
#include <vector>

namespace penstock::storage {

/// One commit on its way into the store: blocks are encoded before the log's lock is taken, placed under it, and their
/// partitions' new ends become visible when the write has returned.
class staged_commit {
public:
  /// Encodes the records. `errc::not_found` when there is no such partition, `invalid`
  /// names a record larger than `max_record_bytes`.
  [[nodiscard]] status add(const topic_table& table, const partition_id& to, const record_batch& records,
                           std::size_t max_record_bytes);

  /// Gives every block its offsets behind the partitions' present ends and puts it into `batch`. `errc::not_found` when
  /// a topic has gone meanwhile.
  [[nodiscard]] status place(const topic_table& table, rocksdb::ColumnFamilyHandle* blocks);

  /// Ends of the partitions once the batch is written.
  [[nodiscard]] const std::map<partition_ref, partition_tail>& tails() const { return tails_; }

  rocksdb::WriteBatch batch; ///< records, offsets and state in one
  rocksdb::WriteBatch early; ///< empty but for a planted bug, which writes offsets and state on their own

private:
  struct staged_block {
    partition_ref to;
    block_pieces pieces;
  };

  std::vector<staged_block> blocks_;
  std::map<partition_ref, partition_tail> tails_;
};

} // namespace penstock::storage
