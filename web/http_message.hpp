// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penstock::web {

/// The target of a request, taken apart. Segments are decoded after the path was split, so an encoded slash stays
/// inside its segment.
struct request_target {
  std::vector<std::string> segments;        ///< `/v1/models/` gives {"v1", "models", ""}
  std::map<std::string, std::string> query; ///< decoded; the last of equal names wins

  /// Value of a query parameter, none when it is absent.
  [[nodiscard]] std::optional<std::string> parameter(const std::string& name) const;
};

/// Takes an origin-form target (`/path?query`) apart. `errc::invalid` for anything else: no leading slash, a malformed
/// or NUL percent-escape, bytes that are no UTF-8 after decoding, a `.` or `..` segment however it is written.
[[nodiscard]] result<request_target> parse_target(std::string_view target);

/// Decodes `application/x-www-form-urlencoded` text: `+` is a blank. `errc::invalid` as above.
[[nodiscard]] result<std::map<std::string, std::string>> parse_form(std::string_view text);

/// Writes one path segment or query value so that `parse_target` gives it back.
[[nodiscard]] std::string percent_encode(std::string_view text);

/// A request as handlers see it: whole, and within the server's limits.
struct http_request {
  std::string method; ///< `GET`; a HEAD arrives as GET
  request_target target;
  std::map<std::string, std::string> captured; ///< parts of the path named by the route's pattern
  std::string content_type;                    ///< lower case, without parameters; empty when there is none
  std::string accept;                          ///< as it was sent
  std::string body;
};

/// The answer of a handler. The server adds Content-Length, Connection, Date and the safety headers.
struct http_response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers; ///< `Allow`, `Retry-After` …
};

} // namespace penstock::web
