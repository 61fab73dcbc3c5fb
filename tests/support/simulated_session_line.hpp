// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "tests/support/simulated_log.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace penstock::test {

/// What is known of every commit that anybody began: the oracle for "all or none".
struct commit_ledger {
  struct entry {
    std::uint64_t records = 0;                      ///< that become visible together
    std::optional<storage::commit_outcome> outcome; ///< none = the process did not live to see it
  };
  std::vector<entry> entries;
  static constexpr const char* header = "commit"; ///< number of the commit that wrote a record
};

/// The thread of a shard or source on which the calls of its session run, one after the other, a commit request by
/// request.
class session_line {
public:
  struct opened {
    std::uint64_t epoch = 0;
    std::vector<storage::committed_offset> offsets;
    std::vector<std::optional<std::string>> state;
  };
  using answer = std::variant<opened, error, storage::commit_result>;

  session_line(simulated_log& log, commit_ledger& ledger) : log_(log), ledger_(ledger) {}

  void open(storage::session_spec spec, std::string state_key);
  void commit(storage::commit_request request) { calls_.emplace_back(std::move(request)); }
  void close() { calls_.emplace_back(closing{}); }

  [[nodiscard]] bool has_work() const { return !calls_.empty(); }
  /// One call or one request of a commit; the answer when there is one.
  [[nodiscard]] std::optional<answer> step();
  /// The process died: no destructor aborts anything.
  void crash();

private:
  struct opening {
    storage::session_spec spec;
    std::string state_key;
  };
  struct closing {};

  [[nodiscard]] answer open_now(const opening& call);
  void begin(storage::commit_request request);

  simulated_log& log_;
  commit_ledger& ledger_;
  std::deque<std::variant<opening, storage::commit_request, closing>> calls_;
  std::unique_ptr<simulated_session> session_;
  std::optional<std::size_t> under_way_; ///< entry of the ledger
};

} // namespace penstock::test
