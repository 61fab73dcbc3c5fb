// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/embedded_store.hpp"

#include <rocksdb/options.h>

namespace penstock::storage {

/// How RocksDB is set up for a log. Its defaults would take 64 MB per column family and resume after errors on their
/// own; the settings here bound the memory by `log_options::memory` and make every background error final.
struct store_options {
  rocksdb::DBOptions database;
  rocksdb::ColumnFamilyOptions meta;
  rocksdb::ColumnFamilyOptions state;
  rocksdb::ColumnFamilyOptions blocks;

  [[nodiscard]] static store_options make(const log_options& options, const std::shared_ptr<topic_table>& topics,
                                          const std::shared_ptr<store_health>& health);
};

} // namespace penstock::storage
