// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tools/console.hpp"

#include <string>

namespace penstock::tools {

/// Keeps what a verb writes.
class recording_console final : public console {
public:
  bool out(std::string_view text) override {
    written += text;
    return !closed;
  }
  void err(std::string_view text) override { said += text; }
  bool out_is_terminal() const override { return terminal; }
  bool err_is_terminal() const override { return terminal; }
  std::size_t width() const override { return 80; }
  std::size_t height() const override { return 24; }

  std::string written;
  std::string said;
  bool terminal = false;
  bool closed = false; ///< nobody reads standard output any more
};

} // namespace penstock::tools
