// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/fault_point.hpp"
#include "runtime/cell.hpp"
#include "runtime/expression.hpp"

#include <span>
#include <string_view>

namespace penstock::runtime {

/// The faults and bugs that the failure tests plant in a scorer, each for the record of one key. Without
/// PENSTOCK_FAULT_POINTS nothing of it is left: `any()` is false at compile time.
///
///     predictor.throw_on_key=KEY      throws                 predictor.drop_on_key=KEY              loses the record
///     predictor.segfault_on_key=KEY   dies of SIGSEGV        predictor.duplicate_output_on_key=KEY  writes it twice
///     predictor.loop_on_key=KEY       never comes back       predictor.wrong_error_on_key=KEY       reckons wrongly
///
/// The first three need the supervisor; the last three are bugs that a verifier must see.
#ifdef PENSTOCK_FAULT_POINTS
class planted_faults {
public:
  planted_faults();
  [[nodiscard]] bool any() const { return any_; }
  /// Throws, dies or loops if this is the key to do so.
  void strike(std::string_view key) const;
  [[nodiscard]] bool drops(std::string_view key) const;
  [[nodiscard]] bool doubles(std::string_view key) const;
  /// Makes the last output field that is reckoned with wrong.
  void spoil(std::string_view key, std::span<cell> outputs, std::span<const expression> expressions) const;

private:
  std::string_view throw_, segfault_, loop_, drop_, double_, wrong_;
  bool any_ = false;
};
#else
class planted_faults {
public:
  [[nodiscard]] static constexpr bool any() { return false; }
  static constexpr void strike(std::string_view) {}
  [[nodiscard]] static constexpr bool drops(std::string_view) { return false; }
  [[nodiscard]] static constexpr bool doubles(std::string_view) { return false; }
  static constexpr void spoil(std::string_view, std::span<cell>, std::span<const expression>) {}
};
#endif

} // namespace penstock::runtime
