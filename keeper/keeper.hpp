// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "keeper/options.hpp"

namespace penstock::keeper {

/// Runs the command and restarts it as `restart_policy` decides, until it ends for good, the keeper gives up or a stop
/// signal comes. Returns the exit code for the process. Uses the whole process: signal mask, children; one thread.
///
/// SIGINT, SIGTERM and SIGHUP stop: the first of each is passed on to the child (not when the terminal sent it, for
/// then the child has it already), and a child that is still there after 6 s is killed. The child is in the keeper's
/// process group and gets SIGTERM when the keeper dies.
[[nodiscard]] int keep(const options& what);

} // namespace penstock::keeper
