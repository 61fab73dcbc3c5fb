// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::ml {

inline constexpr std::string_view model_magic = "PNSTMODL";
inline constexpr std::uint32_t model_version = 1;

/// The durable form of every model: a sealed block with its type's name and what that type wrote.
[[nodiscard]] std::string seal_model(std::string_view type, std::string_view payload);

} // namespace penstock::ml
