// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace penstock::tools {

/// Where a node keeps its data: `--data`, else `$PENSTOCK_DATA`, else `penstock-data` here; absolute.
[[nodiscard]] std::filesystem::path data_directory(const std::optional<std::string>& option);

/// Looks whether a node may work in this directory, which may not exist yet; changes nothing.
/// `errc::permission` when it is not a directory, or cannot be written or made; `errc::conflict` when it belongs to a
/// node of another name, or another process holds the log in it (the holder is named); `errc::invalid` when its
/// node.json is damaged.
[[nodiscard]] status check_data_directory(const std::filesystem::path& directory, const std::string& node);

/// Makes the directory and writes whose it is into `node.json`, once. Call it when everything that the user may have
/// got wrong was checked.
[[nodiscard]] status claim_data_directory(const std::filesystem::path& directory, const std::string& node);

} // namespace penstock::tools
