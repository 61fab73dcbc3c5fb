// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace penstock {

/// The known word that somebody who typed `word` most likely meant, for "did you mean …?": the nearest in
/// Damerau-Levenshtein distance (optimal string alignment, bytes, ASCII case ignored), at most 2 away and, for words of
/// three letters or fewer, at most 1. The first of equally near ones; nothing when none is near enough.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word, std::span<const std::string> known);

} // namespace penstock
