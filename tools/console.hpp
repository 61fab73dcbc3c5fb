// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <memory>
#include <string_view>

namespace penstock::tools {

/// Where a verb writes: data to standard output, messages to standard error. An interface so that tests can read along.
/// Belongs to one thread.
class console {
public:
  virtual ~console() = default;

  /// Writes data and has it out at once. False when nobody reads any more: the verb ends quietly.
  virtual bool out(std::string_view text) = 0;
  /// Writes a message and has it out at once.
  virtual void err(std::string_view text) = 0;

  [[nodiscard]] virtual bool out_is_terminal() const = 0;
  [[nodiscard]] virtual bool err_is_terminal() const = 0;
  /// Columns and lines of the terminal; 80 × 24 where there is none.
  [[nodiscard]] virtual std::size_t width() const = 0;
  [[nodiscard]] virtual std::size_t height() const = 0;

  /// Writes `penstock: text` and returns the exit code of the error.
  int report(const error& why);
};

/// The process's own standard output and standard error.
[[nodiscard]] std::unique_ptr<console> system_console();

} // namespace penstock::tools
