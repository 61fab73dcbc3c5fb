// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/embedded_log.hpp"

namespace penstock::storage {

/// A session of the embedded log: an epoch that the log compares at each commit.
class embedded_session final : public session {
public:
  embedded_session(embedded_log& log, session_spec spec, std::uint64_t epoch)
      : log_(log), spec_(std::move(spec)), epoch_(epoch) {}

  std::uint64_t epoch() const override { return epoch_; }
  /// `errc::conflict` when fenced, `invalid` for a partition that is none of the session's states.
  result<std::optional<std::string>> read_state(const partition_id& of, std::string_view key) override;
  commit_result commit(const commit_request& request) override;

private:
  embedded_log& log_;
  const session_spec spec_;
  const std::uint64_t epoch_;
  std::optional<commit_result> end_; ///< set once fenced or in doubt
};

} // namespace penstock::storage
