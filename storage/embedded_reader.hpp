// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/embedded_log.hpp"

namespace penstock::storage {

/// A reader of the embedded log. Between polls it holds no view of the store, so that an idle one pins no memory.
class embedded_reader final : public reader {
public:
  explicit embedded_reader(embedded_log& log);
  ~embedded_reader() override;

  /// Also `errc::invalid` for a negative offset or one behind the partition's end.
  status assign(const std::vector<position>& positions) override;
  result<std::vector<fetched>> poll(std::size_t max_records, std::size_t max_bytes, duration wait) override;
  void wake() override;

private:
  struct cursor {
    partition_id name;
    partition_ref ref;
    std::int64_t next = 0;
    std::int64_t block = -1; ///< where the block that holds `next` begins; −1 = not known
    bool stalled = false;    ///< a gap was reported
  };
  struct budget {
    std::size_t records;
    std::size_t bytes;
  };

  [[nodiscard]] result<std::vector<fetched>> take(budget left);
  [[nodiscard]] result<std::optional<fetched>> take_from(cursor& from, const budget& left);

  embedded_log& log_;
  std::shared_ptr<append_watch> watch_;
  std::shared_ptr<append_signal> signal_;
  std::vector<cursor> cursors_;
  std::string scratch_;  ///< for unpacking; at most one block
  std::size_t turn_ = 0; ///< cursor that is served first
};

} // namespace penstock::storage
