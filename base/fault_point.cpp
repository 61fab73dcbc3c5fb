// SPDX-License-Identifier: Apache-2.0
#include "base/fault_point.hpp"

#ifdef PENSTOCK_FAULT_POINTS

#include "base/fault_list.hpp"

#include <cstdlib>

namespace penstock {

namespace {

fault_list& from_environment() {
  static fault_list list([] {
    const char* text = std::getenv("PENSTOCK_FAULTS");
    return std::string_view(text == nullptr ? "" : text);
  }());
  return list;
}

} // namespace

bool fault(std::string_view name) {
  return from_environment().pass(name);
}

std::string_view fault_argument(std::string_view name) {
  return from_environment().argument(name);
}

} // namespace penstock

#endif
