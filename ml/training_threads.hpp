// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <functional>

namespace penstock::ml {

/// Runs `task(worker, i)` for every i below `count` on `threads` threads and waits for all; `worker` is below `threads`
/// and belongs to one thread, so that a task can use buffers of its own. Which thread gets which i is not determined. A
/// task returns false to stop the handing-out of further ones. `started`, when given, is called first in each thread,
/// and all of them are new; without it the caller is one of them. When the system gives fewer threads, those do the
/// work; when it gives none, the caller does. `errc::failed` when memory runs out in a task.
[[nodiscard]] status run_tasks(unsigned threads, std::size_t count, const std::function<void()>& started,
                               const std::function<bool(unsigned worker, std::size_t i)>& task);

} // namespace penstock::ml
