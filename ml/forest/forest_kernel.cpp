// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/forest_kernel.hpp"

#include "ml/forest/byte_kernel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

namespace penstock::ml {

namespace {

/// Why no wider instructions than these are used; empty when there are none.
std::string why_no_wider(instruction_set used) {
  if (used < supported_instructions()) {
    return fmt::format("PENSTOCK_INSTRUCTION_SET allows {} at most", name_of(used));
  }
  switch (used) {
  case instruction_set::avx512_vbmi:
    return {};
  case instruction_set::avx512:
    return "this processor has no AVX-512 VBMI";
  case instruction_set::avx2:
    return "this processor has no AVX-512";
  case instruction_set::portable:
    break;
  }
  return "this processor has no AVX2";
}

} // namespace

std::unique_ptr<forest_kernel> make_forest_kernel(const forest& forest, instruction_set set) {
  const auto used = std::min(set, supported_instructions());
  auto why = why_no_wider(used);
  if (used != instruction_set::portable) {
    auto in_bytes = make_byte_kernel(forest, used, why);
    if (in_bytes) {
      return *std::move(in_bytes);
    }
    why = in_bytes.error().text();
  }
  auto heap = make_heap_kernel(forest, why);
  return heap ? std::move(heap) : make_linked_kernel(forest, why);
}

} // namespace penstock::ml
