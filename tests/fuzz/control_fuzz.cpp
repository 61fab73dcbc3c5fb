// SPDX-License-Identifier: Apache-2.0
// Control records out of untrusted bytes: no crash, no hang, and what is accepted survives being written and read
// again, also by the tables.
#include "runtime/control_record.hpp"
#include "runtime/control_tables.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace rt = penstock::runtime;
  const auto first = rt::decode_control({reinterpret_cast<const char*>(data), size});
  if (!first)
    return 0;
  const auto text = rt::encode(*first);
  const auto second = rt::decode_control(text);
  if (!second || rt::encode(*second) != text)
    std::abort();

  rt::registry_table registry;
  rt::runs_table runs;
  rt::events_table events;
  for (const std::int64_t offset : {0, 0, 1}) {
    registry.apply(offset, *second);
    runs.apply(offset, *second);
    events.apply(offset, *second);
  }
  return 0;
}
