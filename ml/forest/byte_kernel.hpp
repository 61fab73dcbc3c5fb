// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/cpu.hpp"
#include "base/result.hpp"
#include "ml/forest/forest_kernel.hpp"

#include <memory>
#include <string_view>

namespace penstock::ml {

/// A forest in bytes (byte_forest.hpp), many rows at a time by the loops of an instruction set, few rows by plain code.
/// @param why_no_faster  the end of the description's reason, may be empty
/// `errc::failed` says what does not fit, or that this processor or build has no such loops.
[[nodiscard]] result<std::unique_ptr<forest_kernel>> make_byte_kernel(const forest& forest, instruction_set set,
                                                                      std::string_view why_no_faster);

} // namespace penstock::ml
