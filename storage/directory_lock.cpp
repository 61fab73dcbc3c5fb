// SPDX-License-Identifier: Apache-2.0
#include "storage/directory_lock.hpp"

#include "base/file.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace penstock::storage {

namespace {

constexpr const char* file_name = "HOLDER";

error refused(const std::filesystem::path& directory, int file) {
  // A looker cannot write its name. So when even a shared lock is refused, a writer holds it and the file names it.
  if (flock(file, LOCK_SH | LOCK_NB) == 0)
    return fail(errc::conflict,
                "log directory {} is being read by another process, such as a command that looks at its topics; try "
                "again when that has ended",
                directory.string());
  auto holder = read_file(directory / file_name, 4096);
  auto name = holder && !holder->empty() ? *holder : std::string("another process");
  return fail(errc::conflict,
              "log directory {} is held by {}; stop that process, ask it over its address, or use another directory",
              directory.string(), name);
}

} // namespace

result<std::unique_ptr<directory_lock>> directory_lock::hold(const std::filesystem::path& directory,
                                                             const std::string& holder) {
  const auto path = directory / file_name;
  int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0)
    return system_error("cannot hold log directory: cannot write", path, errno);
  std::unique_ptr<directory_lock> lock(new directory_lock(file));
  if (flock(file, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK)
      return system_error("cannot lock", path, errno);
    return refused(directory, file);
  }
  auto name = holder.empty() ? "pid " + std::to_string(getpid()) : holder;
  if (ftruncate(file, 0) != 0 || pwrite(file, name.data(), name.size(), 0) != static_cast<ssize_t>(name.size()))
    return system_error("cannot write", path, errno);
  return lock;
}

result<std::unique_ptr<directory_lock>> directory_lock::look(const std::filesystem::path& directory) {
  const auto path = directory / file_name;
  int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0 && errno == ENOENT)
    return fail(errc::not_found, "{} is no log directory: no process ever opened a log there", directory.string());
  if (file < 0)
    return system_error("cannot look at log directory: cannot read", path, errno);
  std::unique_ptr<directory_lock> lock(new directory_lock(file));
  if (flock(file, LOCK_SH | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK)
      return system_error("cannot lock", path, errno);
    return refused(directory, file);
  }
  return lock;
}

directory_lock::~directory_lock() {
  ::close(file_);
}

} // namespace penstock::storage
