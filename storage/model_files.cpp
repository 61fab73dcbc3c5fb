// SPDX-License-Identifier: Apache-2.0
#include "storage/model_files.hpp"

#include "base/bytes.hpp"
#include "base/file.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>

#include <unistd.h>

namespace penstock::storage {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view suffix = ".model";
constexpr std::size_t digest_length = 64;
/// Writing takes seconds at most; a temporary file of this age belongs to nobody. Process ids would not tell, because
/// several machines may share the directory.
constexpr std::chrono::hours abandoned_after{1};

bool is_digest(std::string_view text) {
  return text.size() == digest_length && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// The digest in a package's file name; empty for any other file.
std::string digest_in(const fs::path& file) {
  const auto name = file.filename().string();
  return name.ends_with(suffix) && is_digest(name.substr(0, name.size() - suffix.size()))
             ? name.substr(0, name.size() - suffix.size())
             : std::string();
}

/// Writers that were killed leave `.<digest>.model.….tmp` behind.
bool is_abandoned(const fs::directory_entry& entry) {
  const auto name = entry.path().filename().string();
  if (!name.starts_with('.') || !name.ends_with(".tmp") || !is_digest(std::string_view(name).substr(1, digest_length)))
    return false;
  std::error_code failed;
  const auto written = entry.last_write_time(failed);
  return !failed && fs::file_time_type::clock::now() - written > abandoned_after;
}

/// Paths of everything in a directory; what cannot be listed is not there.
template <class Visit>
void for_each_entry(const fs::path& directory, Visit visit) {
  std::error_code failed;
  for (fs::directory_iterator at(directory, failed), end; !failed && at != end; at.increment(failed))
    visit(*at);
}

} // namespace

result<model_files> model_files::open(const fs::path& directory) {
  std::error_code failed;
  fs::create_directories(directory, failed);
  if (failed)
    return system_error("cannot make the model store", directory, failed.value());
  if (!fs::is_directory(directory, failed))
    return system_error("cannot use as the model store", directory, ENOTDIR);
  if (::access(directory.c_str(), R_OK | W_OK | X_OK) != 0)
    return system_error("cannot write into the model store", directory, errno);
  for_each_entry(directory, [](const fs::directory_entry& entry) {
    std::error_code ignored;
    if (is_abandoned(entry))
      fs::remove(entry.path(), ignored);
  });
  return model_files(directory);
}

fs::path model_files::path_of(const std::string& digest) const {
  return directory_ / (digest + std::string(suffix));
}

status model_files::put(const std::string& digest, std::string_view bytes) const {
  if (const auto actual = sha256_hex(bytes); actual != digest)
    return fail(errc::invalid, "model package {}: the bytes to store have the digest {}; nothing was written", digest,
                actual);
  // A file that is there but damaged is replaced; reading is the only way to know.
  if (read(digest))
    return {};
  const auto written = write_file_atomically(path_of(digest), bytes);
  return written ? written : written.error().in("model package " + digest);
}

result<std::string> model_files::read(const std::string& digest) const {
  if (!is_digest(digest))
    return fail(errc::not_found, "model package '{}': that is no SHA-256, and packages are named by theirs", digest);
  auto bytes = read_file(path_of(digest));
  if (!bytes)
    return bytes.error().in("model package " + digest);
  if (sha256_hex(*bytes) != digest)
    return fail(errc::invalid,
                "model package {}: {} is damaged, its bytes no longer have that SHA-256; delete it and train again, or "
                "copy it from another node",
                digest, path_of(digest).string());
  return bytes;
}

bool model_files::contains(const std::string& digest) const {
  std::error_code failed;
  return is_digest(digest) && fs::is_regular_file(path_of(digest), failed);
}

std::vector<std::string> model_files::list() const {
  std::vector<std::string> digests;
  for_each_entry(directory_, [&](const fs::directory_entry& entry) {
    if (auto digest = digest_in(entry.path()); !digest.empty())
      digests.push_back(std::move(digest));
  });
  std::ranges::sort(digests);
  return digests;
}

} // namespace penstock::storage
