// SPDX-License-Identifier: Apache-2.0
#include "base/file.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace penstock {

namespace {

/// Closes a descriptor when it goes out of scope.
class descriptor {
public:
  explicit descriptor(int number) : number_(number) {}
  ~descriptor() {
    if (number_ >= 0)
      ::close(number_);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;

  [[nodiscard]] bool ok() const { return number_ >= 0; }
  [[nodiscard]] int number() const { return number_; }

private:
  int number_;
};

errc code_of(int error_number) {
  switch (error_number) {
  case ENOENT:
  case ENOTDIR:
    return errc::not_found;
  case EACCES:
  case EPERM:
  case EROFS:
    return errc::permission;
  case EEXIST:
  case EBUSY:
  case ETXTBSY:
    return errc::conflict;
  case EISDIR:
  case EINVAL:
  case ENAMETOOLONG:
  case ELOOP:
    return errc::invalid;
  case EAGAIN:
  case EINTR:
    return errc::try_again;
  case ETIMEDOUT:
    return errc::timeout;
  default:
    return errc::unavailable;
  }
}

/// 0, or the errno of the write that failed.
int write_all(int number, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(number, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return errno;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

/// 0, or the errno of what failed: creates `path`, which must not exist, with `bytes` on stable storage.
int write_new_file(const std::filesystem::path& path, std::string_view bytes) {
  const descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file.ok())
    return errno;
  if (const int failed = write_all(file.number(), bytes); failed != 0)
    return failed;
  return ::fsync(file.number()) == 0 ? 0 : errno;
}

} // namespace

error system_error(std::string_view what, const std::filesystem::path& path, int error_number) {
  return fail(code_of(error_number), "{} {}: {}", what, path.string(), std::generic_category().message(error_number));
}

result<std::string> read_file(const std::filesystem::path& path, std::uint64_t limit) {
  const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.ok())
    return system_error("cannot open", path, errno);
  struct stat about {};
  if (::fstat(file.number(), &about) != 0)
    return system_error("cannot examine", path, errno);
  if (S_ISDIR(about.st_mode))
    return system_error("cannot read", path, EISDIR);
  const auto too_large = [&] {
    return fail(errc::invalid, "cannot read {}: it is larger than the {} bytes allowed here", path.string(), limit);
  };
  if (about.st_size > 0 && static_cast<std::uint64_t>(about.st_size) > limit)
    return too_large();

  // The size is a hint: files of /proc say 0, and a file may grow while it is read.
  constexpr std::size_t step = std::size_t{1} << 16;
  std::string content(about.st_size > 0 ? static_cast<std::size_t>(about.st_size) + 1 : step, '\0');
  std::size_t filled = 0;
  for (;;) {
    if (filled == content.size())
      content.resize(content.size() + std::max(step, content.size() / 2));
    const auto got = ::read(file.number(), content.data() + filled, content.size() - filled);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return system_error("cannot read", path, errno);
    if (got == 0)
      break;
    filled += static_cast<std::size_t>(got);
    if (filled > limit)
      return too_large();
  }
  content.resize(filled);
  return content;
}

status write_file_atomically(const std::filesystem::path& path, std::string_view bytes) {
  static std::atomic<unsigned> serial{0};
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  const auto temporary =
      folder / fmt::format(".{}.{}.{}.tmp", path.filename().string(), ::getpid(), serial.fetch_add(1));

  if (const int failed = write_new_file(temporary, bytes); failed != 0) {
    if (failed != EEXIST)
      ::unlink(temporary.c_str());
    return system_error("cannot write", path, failed);
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const int failed = errno;
    ::unlink(temporary.c_str());
    return system_error("cannot replace", path, failed);
  }
  const descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.ok() || ::fsync(directory.number()) != 0)
    return system_error("cannot make durable the folder", folder, errno);
  return {};
}

} // namespace penstock
