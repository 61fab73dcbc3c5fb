// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "web/http_message.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace penstock::web {

/// Answers one request. Called from several threads at once; may block for as long as its own time limits say.
using handler = std::function<http_response(const http_request&)>;

/// Where a handler runs.
enum class runs : std::uint8_t {
  on_worker, ///< one of the threads for blocking calls
  at_once,   ///< on the server's own thread: must never block; answers even when every worker is busy
};

/// Method and pattern → handler.
///
/// A pattern is a path whose segments are literal, `{name}` (one segment, not empty, without a colon), `{name}:suffix`
/// (one segment with that end), or, as the last, `{name...}` (all that follows, joined by `/`, not empty). Of several
/// patterns that fit, the one added first wins. Filled before the server starts, then read from any thread.
class router {
public:
  void add(std::string method, const std::string& pattern, handler run, runs where = runs::on_worker);

  struct found {
    const handler* run = nullptr; ///< none: answer with `refusal`
    runs where = runs::at_once;
    std::string pattern; ///< for metrics: a bounded set
    http_response refusal;
  };
  /// Finds the handler and fills `captured`. Without one the refusal is 404, or 405 with `Allow`, in the form of the
  /// area that the path lies in (see `error_response`).
  [[nodiscard]] found find(http_request& request) const;

private:
  struct route {
    std::string method;
    std::string pattern;
    std::vector<std::string> segments;
    handler run;
    runs where;
  };
  std::vector<route> routes_;
};

} // namespace penstock::web
