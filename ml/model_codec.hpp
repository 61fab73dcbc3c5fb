// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ml/sealed_block.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace penstock::ml {

inline constexpr std::string_view model_magic = "PNSTMODL";
inline constexpr std::uint32_t model_version = 1;

/// The durable form of every model: a sealed block with its type's name and what that type writes behind it.
/// @param room  bytes that it will write, as far as known
[[nodiscard]] block_writer open_model(std::string_view type, std::size_t room);

} // namespace penstock::ml
