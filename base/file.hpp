// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace penstock {

/// Reads a whole file. `errc::not_found` when it is missing, `permission`, `unavailable` for I/O errors, `invalid` when
/// it is larger than `limit` bytes.
[[nodiscard]] result<std::string> read_file(const std::filesystem::path& path,
                                            std::uint64_t limit = std::uint64_t{1} << 32);

/// Replaces a file so that after a crash either the old or the new bytes are there, whole: temporary file beside it,
/// fsync, rename, fsync of the directory. Mode 0644 less the umask.
[[nodiscard]] status write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

/// The error for a failed system call: code chosen by errno (ENOENT, EACCES, ENOSPC …), text `what path: strerror`.
[[nodiscard]] error system_error(std::string_view what, const std::filesystem::path& path, int error_number);

} // namespace penstock
