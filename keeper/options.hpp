// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "keeper/restart_policy.hpp"

#include <span>
#include <string>
#include <variant>
#include <vector>

namespace penstock::keeper {

/// What the command line asks for.
struct options {
  restart_limits limits;
  std::vector<std::string> command; ///< program and arguments, not empty
};

/// Reads the arguments after the program's name. A text instead of options is what is wrong with them; an empty text
/// means that help was asked for.
[[nodiscard]] std::variant<options, std::string> parse(std::span<const char* const> arguments);

/// How the program is called.
[[nodiscard]] const char* usage();

} // namespace penstock::keeper
