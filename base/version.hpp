// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace penstock {

/// The release, `0.1.0`.
[[nodiscard]] std::string_view version();

/// What was built: `git describe` of the sources when CMake configured, with `-dirty` for uncommitted changes;
/// `unknown` outside a repository. Part of a model's lineage.
[[nodiscard]] std::string_view build_id();

} // namespace penstock
