// SPDX-License-Identifier: Apache-2.0
#include "base/result.hpp"

namespace penstock {

const char* name_of(errc code) {
  switch (code) {
  case errc::failed:
    return "failed";
  case errc::usage:
    return "usage";
  case errc::not_found:
    return "not_found";
  case errc::conflict:
    return "conflict";
  case errc::invalid:
    return "invalid";
  case errc::unavailable:
    return "unavailable";
  case errc::internal:
    return "internal";
  case errc::try_again:
    return "try_again";
  case errc::permission:
    return "permission";
  case errc::configuration:
    return "configuration";
  case errc::timeout:
    return "timeout";
  }
  return "unknown";
}

} // namespace penstock
