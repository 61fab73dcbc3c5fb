// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "storage/log.hpp"
#include "tools/api_client.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace penstock::tools {

/// Records of one partition as they are shown, and where reading goes on.
struct topic_chunk {
  std::vector<document> records;
  std::int64_t next = 0;
  std::int64_t end = 0; ///< of the partition at this moment
};

/// Topics to look at: those of a log directory that no process holds, or of a running node. Belongs to one thread.
class topic_source {
public:
  virtual ~topic_source() = default;

  [[nodiscard]] virtual result<std::vector<document>> topics() = 0;
  /// At most 1000 records of a topic from an offset on, or from the first that is still there.
  [[nodiscard]] virtual result<topic_chunk> read(const std::string& topic, std::int32_t partition,
                                                 std::int64_t offset) = 0;
  /// Whether records that are written now can be seen.
  [[nodiscard]] virtual bool is_live() const = 0;
};

/// Opens a log read-only: nothing in it changes. Errors as `storage::open_log`.
[[nodiscard]] result<std::unique_ptr<topic_source>> open_directly(const std::string& log_url);

[[nodiscard]] std::unique_ptr<topic_source> over_http(api_client client);

} // namespace penstock::tools
