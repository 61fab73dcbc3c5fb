// SPDX-License-Identifier: Apache-2.0
#include "runtime/cell.hpp"

namespace penstock::runtime {

ml::value value_of(const cell& from) {
  switch (from.what) {
  case cell::kind::int64:
    return from.integer;
  case cell::kind::float64:
    return from.number;
  case cell::kind::boolean:
    return from.flag;
  case cell::kind::string:
    return std::string(from.string());
  case cell::kind::null:
    break;
  }
  return std::monostate{};
}

} // namespace penstock::runtime
