// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <memory>
#include <string>

namespace penstock::storage {

/// Says that this process alone may write a log directory: a kernel lock on its file `HOLDER`, which also carries who
/// that is. The kernel lets go when the process dies, however it dies, so nothing is ever left to clean up.
class directory_lock {
public:
  /// For writing; creates the file. `errc::conflict` names the holder, `permission` when the directory may not be
  /// written.
  [[nodiscard]] static result<std::unique_ptr<directory_lock>> hold(const std::filesystem::path& directory,
                                                                    const std::string& holder);
  /// For looking: changes nothing, goes together with other lookers, keeps writers out meanwhile. `errc::not_found`
  /// when no process ever held the directory.
  [[nodiscard]] static result<std::unique_ptr<directory_lock>> look(const std::filesystem::path& directory);

  ~directory_lock();
  directory_lock(const directory_lock&) = delete;
  directory_lock& operator=(const directory_lock&) = delete;

private:
  explicit directory_lock(int file) : file_(file) {}
  int file_;
};

} // namespace penstock::storage
