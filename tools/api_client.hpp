// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "tools/output_format.hpp"
#include "web/http_client.hpp"

#include <functional>
#include <optional>
#include <string>

namespace penstock::tools {

/// Adds `--url` to a page.
void add_url_option(verb_page& page);

/// The API of a node, as verbs ask it. Blocking.
class api_client {
public:
  /// From `--url`, else `$PENSTOCK_URL`, else http://127.0.0.1:7780. `errc::usage` for a malformed one.
  [[nodiscard]] static result<api_client> of(const parsed_line& line);

  /// One document. `errc::unavailable` (with a hint) when no node answers; the server's own error otherwise:
  /// not_found, invalid …
  /// @param target  below `/api/v1/`, encoded
  [[nodiscard]] result<document> get(const std::string& target) const;

  /// Asks for something to be done; the answer and the errors as of `get`.
  [[nodiscard]] result<document> post(const std::string& target) const;

  /// All items of a list, page by page, in constant memory; `each` returns false to stop.
  /// @param query  `filter=…&stream=…`, encoded; may be empty
  [[nodiscard]] status list(const std::string& noun, const std::string& query,
                            const std::function<bool(document)>& each) const;

private:
  [[nodiscard]] result<document> exchange(const std::string& target, const std::string& body) const;

  web::http_address address_;
};

} // namespace penstock::tools
