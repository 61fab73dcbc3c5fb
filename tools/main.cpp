// SPDX-License-Identifier: Apache-2.0
#include "tools/verbs.hpp"

#include <csignal>
#include <exception>
#include <string>
#include <vector>

#include <malloc.h>

int main(int argc, char** argv) {
  using namespace penstock;
  // A closed pipe ends a command quietly, whatever the parent process left behind; `run` and `node` ignore it again.
  std::signal(SIGPIPE, SIG_DFL);
#ifdef __GLIBC__
  // With an arena for each thread, freed batches of one thread are of no use to the others: 39 MiB against 28 under
  // load.
  ::mallopt(M_ARENA_MAX, 2);
#endif
  const auto to = tools::system_console();
  try {
    return tools::penstock_main(std::vector<std::string>(argv + 1, argv + argc), *to);
  } catch (const std::exception& e) {
    return to->report(fail(errc::internal, "internal error: {}; please report it with the command line", e.what()));
  }
}
