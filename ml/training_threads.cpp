// SPDX-License-Identifier: Apache-2.0
#include "ml/training_threads.hpp"

#include <algorithm>
#include <atomic>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

namespace penstock::ml {

status run_tasks(unsigned threads, std::size_t count, const std::function<void()>& started,
                 const std::function<bool(unsigned worker, std::size_t i)>& task) {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> stopped{false};
  std::atomic<bool> out_of_memory{false};
  const auto work = [&](unsigned worker) {
    try {
      for (auto i = next++; i < count && !stopped; i = next++) {
        if (!task(worker, i)) {
          stopped = true;
        }
      }
    } catch (const std::bad_alloc&) {
      out_of_memory = true;
      stopped = true;
    }
  };
  // The caller works along, unless `started` does something to threads that must not be done to it.
  const unsigned own = started ? 0 : 1;
  {
    std::vector<std::jthread> pool;
    try {
      for (unsigned worker = own; worker < std::max(threads, 1U) && worker < count; ++worker) {
        pool.emplace_back([&, worker] {
          if (started) {
            started();
          }
          work(worker);
        });
      }
    } catch (const std::system_error&) {
      // The threads that did start take everything that is left.
    }
    if (own != 0 || pool.empty()) {
      work(0);
    }
  }
  if (out_of_memory) {
    return fail(errc::failed, "training ran out of memory; use fewer rows, or give the process more");
  }
  return {};
}

} // namespace penstock::ml
