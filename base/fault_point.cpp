// SPDX-License-Identifier: Apache-2.0
#include "base/fault_point.hpp"

#ifdef PENSTOCK_FAULT_POINTS

#include "base/fault_list.hpp"

#include <cstdlib>
#include <memory>

namespace penstock {

namespace {

std::unique_ptr<fault_list> from_environment() {
  const char* text = std::getenv("PENSTOCK_FAULTS");
  return std::make_unique<fault_list>(text == nullptr ? "" : text);
}

std::unique_ptr<fault_list>& faults() {
  static auto list = from_environment();
  return list;
}

} // namespace

bool fault(std::string_view name) {
  return faults()->pass(name);
}

std::string_view fault_argument(std::string_view name) {
  return faults()->argument(name);
}

void set_faults(std::string_view list) {
  faults() = std::make_unique<fault_list>(list);
}

} // namespace penstock

#endif
