// SPDX-License-Identifier: Apache-2.0
#include "base/cpu.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace penstock {

namespace {

constexpr std::array<std::string_view, 4> names{"portable", "avx2", "avx512", "avx512_vbmi"};

} // namespace

std::string_view name_of(instruction_set set) {
  return names[static_cast<std::size_t>(set)];
}

std::optional<instruction_set> instruction_set_of(std::string_view name) {
  const auto* const found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    return std::nullopt;
  }
  return static_cast<instruction_set>(found - names.begin());
}

instruction_set supported_instructions() {
#if defined(__x86_64__)
  // Also asks the operating system whether it saves the wide registers.
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi") || !__builtin_cpu_supports("bmi2")) {
    return instruction_set::portable;
  }
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512cd") || !__builtin_cpu_supports("avx512dq") ||
      !__builtin_cpu_supports("avx512vl")) {
    return instruction_set::avx2;
  }
  return __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2") ? instruction_set::avx512_vbmi
                                                                                       : instruction_set::avx512;
#else
  return instruction_set::portable;
#endif
}

instruction_set usable_instructions() {
  static const auto chosen = [] {
    const auto most = supported_instructions();
    const char* wanted = std::getenv("PENSTOCK_INSTRUCTION_SET"); // NOLINT(concurrency-mt-unsafe): nobody sets it
    const auto named = wanted != nullptr ? instruction_set_of(wanted) : std::nullopt;
    return named ? std::min(*named, most) : most;
  }();
  return chosen;
}

} // namespace penstock
