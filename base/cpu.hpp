// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace penstock {

/// What the kernels of this program may ask of a processor, each including those before it.
enum class instruction_set : std::uint8_t {
  portable,    ///< the compiler's baseline, on any architecture
  avx2,        ///< AVX2, BMI1, BMI2
  avx512,      ///< AVX-512 F, BW, CD, DQ, VL
  avx512_vbmi, ///< AVX-512 VBMI, VBMI2: permutes of single bytes
};

/// `portable`, `avx2`, `avx512`, `avx512_vbmi`.
[[nodiscard]] std::string_view name_of(instruction_set set);
[[nodiscard]] std::optional<instruction_set> instruction_set_of(std::string_view name);

/// The most that this processor and its operating system can do.
[[nodiscard]] instruction_set supported_instructions();

/// What kernels use: `supported_instructions`, or less when the environment variable PENSTOCK_INSTRUCTION_SET names
/// less (to compare kernels, or to rule one out). A name that is unknown or beyond the processor is ignored. Looked up
/// once per process. Results never depend on it.
[[nodiscard]] instruction_set usable_instructions();

} // namespace penstock
