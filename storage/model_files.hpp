// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penstock::storage {

/// Model packages as files named by their SHA-256 (`<digest>.model`) in one directory. Files are immutable: written
/// whole or not at all, never changed. Thread-safe.
class model_files {
public:
  /// Makes the directory when it is missing, and removes what writers killed long ago left half written. `permission`,
  /// `unavailable` as the file system says.
  [[nodiscard]] static result<model_files> open(const std::filesystem::path& directory);

  /// `errc::invalid` when the bytes do not have that digest. Storing the same package again is fine, and
  /// replaces a file that was damaged. On return the package is on stable storage.
  [[nodiscard]] status put(const std::string& digest, std::string_view bytes) const;
  /// `errc::not_found`; `errc::invalid` when the file no longer has its digest.
  [[nodiscard]] result<std::string> read(const std::string& digest) const;
  /// Whether there is a file of that name; only `read` verifies it.
  [[nodiscard]] bool contains(const std::string& digest) const;
  /// Digests of all packages, ascending.
  [[nodiscard]] std::vector<std::string> list() const;
  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }

private:
  explicit model_files(std::filesystem::path directory) : directory_(std::move(directory)) {}
  [[nodiscard]] std::filesystem::path path_of(const std::string& digest) const;

  std::filesystem::path directory_;
};

} // namespace penstock::storage
