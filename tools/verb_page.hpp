// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "tools/console.hpp"

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace penstock::tools {

/// The words after the verb.
using words = std::span<const std::string>;

/// What a verb takes and does: its help page, and the rules by which its command line is read.
struct verb_page {
  std::string name;                  ///< `topic consume`
  std::string arguments;             ///< `TOPIC`, as it stands in the usage line
  std::string text;                  ///< what it does, and its exit codes where they are not the usual ones
  std::vector<std::string> examples; ///< whole command lines, `#` comments allowed
  std::size_t least = 0;             ///< arguments at least
  std::size_t most = 0;              ///< arguments at most
  boost::program_options::options_description options{"Options"};
};

/// A command line that was read by its page.
struct parsed_line {
  boost::program_options::variables_map options;
  std::vector<std::string> arguments;
  bool help = false;

  [[nodiscard]] bool has(const char* option) const { return options.count(option) != 0; }
  /// Value of an option, none when it was not given and has no default.
  template <class T = std::string>
  [[nodiscard]] std::optional<T> value(const char* option) const {
    return has(option) ? std::optional<T>(options[option].as<T>()) : std::nullopt;
  }
};

/// Reads a command line. `errc::usage` for an unknown option (with the nearest known one), a missing or superfluous
/// argument, a value of the wrong form.
[[nodiscard]] result<parsed_line> parse_line(const verb_page& page, words line);

/// The page as `-h` prints it.
[[nodiscard]] std::string help_text(const verb_page& page);

/// Reads the command line, prints help or the mistake, or calls `run`; returns the exit code.
int with_line(const verb_page& page, words line, console& to, const std::function<int(const parsed_line&)>& run);

} // namespace penstock::tools
