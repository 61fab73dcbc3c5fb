// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "web/http_message.hpp"

#include <cstdint>
#include <string>

namespace penstock::web {

/// The parts of the site that answer errors in forms of their own.
enum class area : std::uint8_t {
  api,       ///< `/api/…`: RFC 9457 `application/problem+json`
  inference, ///< `/v1/…`, `/predict`: `{"error": "…"}` as KServe's data plane has it
  page,      ///< everything else: plain text
};

[[nodiscard]] area area_of(const request_target& target);

/// An error in the form of its area. 429 and 503 get `Retry-After: 1`.
[[nodiscard]] http_response error_response(area where, int status, const std::string& detail);

/// The same for an error of ours: not_found 404, conflict 409, invalid and usage 400, permission 403, try_again,
/// unavailable and timeout 503, everything else 500.
[[nodiscard]] http_response error_response(area where, const error& why);

/// The standard phrase of a status, `Not Found`.
[[nodiscard]] const char* reason_phrase(int status);

} // namespace penstock::web
