// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace penstock {

/// The faults that `PENSTOCK_FAULTS` switches on; see fault_point.hpp for the form. Thread-safe.
class fault_list {
public:
  /// @param text  comma-separated `name`, `name=argument`, `name@n`; an entry without a valid n is on at every pass
  explicit fault_list(std::string_view text);

  /// Counts a pass of `name`; true when the fault is on in this pass.
  [[nodiscard]] bool pass(std::string_view name);
  /// The argument of `name`, empty when it is off or has none. Valid as long as the list.
  [[nodiscard]] std::string_view argument(std::string_view name) const;

private:
  struct entry {
    std::string name;
    std::string argument;
    std::uint64_t only = 0; ///< the pass that is on; 0 means all
    std::atomic<std::uint64_t> passes{0};
  };
  std::deque<entry> entries_;
};

} // namespace penstock
