// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::runtime {

/// One mistake in a file that a user wrote.
struct spec_problem {
  int line = 1; ///< counted from 1
  std::string text;
};

/// A value of a YAML document, with the line it stands on. Immutable once read; an alias shares the node it names.
struct yaml_node {
  enum class kind : std::uint8_t { null, scalar, sequence, mapping };
  struct entry {
    std::string key;
    int line = 1;
    std::shared_ptr<const yaml_node> value;
  };

  kind what = kind::null;
  int line = 1;
  std::string text;                                    ///< of a scalar, variables replaced
  std::vector<std::shared_ptr<const yaml_node>> items; ///< of a sequence
  std::vector<entry> entries;                          ///< of a mapping, in order; no key twice
  std::size_t weight = 1;                              ///< values in this tree, aliases counted in full

  /// The value of a key, null when there is none.
  [[nodiscard]] const yaml_node* find(std::string_view key) const;
};

/// `a value`, `a list`, `a mapping`, `nothing`: for messages.
[[nodiscard]] const char* name_of(yaml_node::kind what);

/// What a file may cost. Whoever writes more than this means harm.
struct yaml_limits {
  std::size_t bytes = std::size_t{16} << 20;       ///< of the file, and of all its values after replacement
  std::size_t scalar_bytes = std::size_t{1} << 20; ///< of one value after replacement
  std::size_t values = 100'000;                    ///< in all documents, aliases counted in full
  int depth = 32;
};

/// Gives a variable's value; none when it is not set.
using variable_source = std::function<std::optional<std::string>(const std::string& name)>;

/// Reads all documents of a YAML text and replaces `${VAR}`, `${VAR:default}` and `${file:path}` in values (`$$` is a
/// dollar sign; a dollar sign before anything else stands for itself). What is replaced is not looked at again.
///
/// Mistakes are added to `problems`: syntax, a key that occurs twice, tags, a limit that is passed, a variable that is
/// not set. After a mistake that hides the rest (syntax, limits) the result is empty.
/// @param folder  where `${file:path}` starts
[[nodiscard]] std::vector<std::shared_ptr<const yaml_node>>
read_yaml(std::string_view text, const std::filesystem::path& folder, const variable_source& variables,
          std::vector<spec_problem>& problems, const yaml_limits& limits = {});

} // namespace penstock::runtime
