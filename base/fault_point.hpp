// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace penstock {

/// Named places where the failure tests plant faults and bugs. Compiled in only with -DPENSTOCK_FAULT_POINTS=ON; a
/// release build has none. Switched on by the environment variable `PENSTOCK_FAULTS`, a comma-separated list of `name`,
/// `name=argument`, or `name@n` (only the n-th pass in this process, counted from 1).
#ifdef PENSTOCK_FAULT_POINTS
/// True when the fault is on and (for `name@n`) this is its n-th pass. Thread-safe.
[[nodiscard]] bool fault(std::string_view name);
/// The argument of a fault that is on, empty otherwise. Does not count passes.
[[nodiscard]] std::string_view fault_argument(std::string_view name);
/// Replaces the faults that are on, in the form of the variable. For tests; no other thread may be at a fault point.
void set_faults(std::string_view list);
#else
[[nodiscard]] constexpr bool fault(std::string_view) {
  return false;
}
[[nodiscard]] constexpr std::string_view fault_argument(std::string_view) {
  return {};
}
#endif

} // namespace penstock
