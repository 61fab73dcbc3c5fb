// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "base/units.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::web {

/// Where a plain HTTP service is.
struct http_address {
  std::string host;
  std::uint16_t port = 80;
  std::string path; ///< what stands behind host and port: empty, or begins with a slash
};

/// Reads `http://host[:port][/path]`. `errc::usage` for anything else; https is refused by name.
[[nodiscard]] result<http_address> parse_http_url(std::string_view url);

struct http_answer {
  int status = 0;
  std::string content_type;
  std::string body;
};

/// One request, one connection, one answer. Blocking; any thread.
/// `errc::unavailable` when nobody listens or the connection breaks, `timeout` when the whole exchange takes longer
/// than `limit`, `invalid` for an answer that is no HTTP or larger than 64 MiB. An answer with an error status is an
/// answer.
/// @param target  path and query, already encoded
/// @param body    posted as JSON; a GET when it is empty
[[nodiscard]] result<http_answer> http_exchange(const http_address& to, const std::string& target,
                                                const std::string& body, duration limit);

} // namespace penstock::web
