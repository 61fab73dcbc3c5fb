// SPDX-License-Identifier: Apache-2.0
#include "base/version.hpp"

namespace penstock {

std::string_view version() {
  return PENSTOCK_VERSION;
}

std::string_view build_id() {
  return PENSTOCK_BUILD_ID;
}

} // namespace penstock
