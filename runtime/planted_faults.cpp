// SPDX-License-Identifier: Apache-2.0
#include "runtime/planted_faults.hpp"

#ifdef PENSTOCK_FAULT_POINTS

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>

namespace penstock::runtime {

namespace {

/// The key a fault is planted for, if it is on (for `name@n`: if this is its n-th pass).
std::string_view key_of(std::string_view name) {
  return fault_argument(name);
}

bool is(std::string_view planted, std::string_view key) {
  return !planted.empty() && planted == key;
}

} // namespace

planted_faults::planted_faults()
    : throw_(key_of("predictor.throw_on_key")), segfault_(key_of("predictor.segfault_on_key")),
      loop_(key_of("predictor.loop_on_key")), drop_(key_of("predictor.drop_on_key")),
      double_(key_of("predictor.duplicate_output_on_key")), wrong_(key_of("predictor.wrong_error_on_key")) {
  for (const auto planted : {throw_, segfault_, loop_, drop_, double_, wrong_})
    any_ = any_ || !planted.empty();
}

void planted_faults::strike(std::string_view key) const {
  if (is(throw_, key))
    throw std::runtime_error("planted: predictor.throw_on_key=" + std::string(key));
  if (is(segfault_, key)) {
    (void)std::raise(SIGSEGV);
    std::abort();
  }
  if (is(loop_, key))
    for (const std::atomic<bool> forever{true}; forever.load(std::memory_order_relaxed);) {
    }
}

bool planted_faults::drops(std::string_view key) const {
  return is(drop_, key);
}

bool planted_faults::doubles(std::string_view key) const {
  return is(double_, key);
}

void planted_faults::spoil(std::string_view key, std::span<cell> outputs,
                           std::span<const expression> expressions) const {
  if (!is(wrong_, key))
    return;
  for (auto i = outputs.size(); i-- > 0;)
    if (!expressions[i].lone_field() && outputs[i].what == cell::kind::float64) {
      outputs[i].number += 0.001;
      return;
    }
}

} // namespace penstock::runtime

#endif
