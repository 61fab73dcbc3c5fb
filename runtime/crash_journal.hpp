// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "runtime/shard_task.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace penstock::runtime {

/// How the last runtime process of this node died, as the keeper tells it (`PENSTOCK_LAST_DEATH`).
struct last_death {
  std::string text = "none"; ///< `none`, `exit:1`, `signal:11`, `oom`, `watchdog`

  /// True for SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, the own watchdog and an OOM kill: the records in work are
  /// suspect. A kill -9, a power cut or an orderly exit is not their fault.
  [[nodiscard]] bool makes_suspects() const;
  [[nodiscard]] static last_death from_environment();
};

/// A memory-mapped file that says which records each predictor has in work, so that after a sudden death of the process
/// the next one knows whom to suspect. A few plain stores per batch; survives the process (page cache), not the
/// machine, and needs not to. One slot per predictor; a slot belongs to one thread at a time.
class crash_journal {
public:
  static constexpr std::size_t slots = 1024;

  /// Opens or makes the file. A damaged or newer one is started afresh: it only ever costs a suspicion.
  [[nodiscard]] static result<std::unique_ptr<crash_journal>> open(const std::filesystem::path& file);
  ~crash_journal();

  /// What was in work when the last process died; call once, before the first `begin`. `group` is the stream that a
  /// slot was taken for (`session_spec::group`). A suspect counts as alone only if nothing else was in work.
  struct entry {
    std::string group;
    suspect what;
  };
  [[nodiscard]] std::vector<entry> suspects(const last_death& death) const;
  /// Forgets everything; after `suspects` were handed out.
  void clear();

  /// Takes a slot for a predictor of a partition. `errc::unavailable` when all are taken.
  [[nodiscard]] result<std::size_t> take(const std::string& group, const storage::partition_id& of);
  void give_back(std::size_t slot);
  void begin(std::size_t slot, std::int64_t first, std::int64_t last, bool alone);
  void end(std::size_t slot);

private:
  struct content;
  explicit crash_journal(std::unique_ptr<content> c);
  std::unique_ptr<content> content_;
};

} // namespace penstock::runtime
