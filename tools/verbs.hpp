// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tools/console.hpp"
#include "tools/verb_page.hpp"

#include <span>

namespace penstock::tools {

// One function per verb: `line` is what follows the verb, the result is the exit code.

int run_verb(words line, console& to);
int node_verb(words line, console& to);
int get_verb(words line, console& to);
int describe_verb(words line, console& to);
int topic_verb(words line, console& to);
int model_verb(words line, console& to);
int cancel_verb(words line, console& to);
int config_verb(words line, console& to);
int version_verb(words line, console& to);

/// One entry of a table of verbs, of the program or of a verb that has verbs of its own.
struct verb {
  const char* name;
  const char* summary;
  int (*run)(words line, console& to);
};

/// Calls the verb that `line` begins with. `-h`, `--help` and `help` print the table; `help VERB` is `VERB -h`; no word
/// or an unknown one (with the nearest known) is `errc::usage`.
/// @param path  what stands before, such as `penstock topic`
int dispatch(const char* path, const char* text, std::span<const verb> verbs, words line, console& to);

/// The whole program after its name.
int penstock_main(words line, console& to);

} // namespace penstock::tools
