// SPDX-License-Identifier: Apache-2.0
#include "storage/embedded_session.hpp"

namespace penstock::storage {

result<std::optional<std::string>> embedded_session::read_state(const partition_id& of, std::string_view key) {
  return log_.read_state(spec_, epoch_, of, key);
}

commit_result embedded_session::commit(const commit_request& request) {
  if (end_)
    return *end_;
  auto done = log_.commit(spec_, epoch_, request);
  if (done.outcome == commit_outcome::fenced || done.outcome == commit_outcome::in_doubt)
    end_ = done;
  return done;
}

} // namespace penstock::storage
