// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::storage {

/// Model packages as files named by their SHA-256 (`<digest>.model`) in one directory. Files are immutable: written
/// whole or not at all, never changed. Thread-safe.
class model_files {
public:
  /// Makes the directory when it is missing. `permission`, `unavailable` as the file system says.
  [[nodiscard]] static result<model_files> open(const std::filesystem::path& directory);

  /// `errc::invalid` when the bytes do not have that digest. Storing the same package again is fine.
  [[nodiscard]] status put(const std::string& digest, std::string_view bytes) const;
  /// `errc::not_found`; `errc::invalid` when the file no longer has its digest.
  [[nodiscard]] result<std::string> read(const std::string& digest) const;
  [[nodiscard]] bool contains(const std::string& digest) const;
  [[nodiscard]] std::vector<std::string> list() const;
  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }

private:
  explicit model_files(std::filesystem::path directory) : directory_(std::move(directory)) {}
  std::filesystem::path directory_;
};

} // namespace penstock::storage
