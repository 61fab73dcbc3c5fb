// SPDX-License-Identifier: Apache-2.0
#include "tools/data_directory.hpp"

#include "base/file.hpp"
#include "storage/directory_lock.hpp"

#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstdlib>

#include <sys/stat.h>
#include <unistd.h>

namespace penstock::tools {

namespace fs = std::filesystem;

namespace {

error not_writable(const fs::path& where, int why) {
  return fail(errc::permission,
              "data directory {} is not writable: {}; choose another with --data DIR or $PENSTOCK_DATA", where.string(),
              system_error("access", where, why).text());
}

/// The nearest ancestor that exists.
fs::path existing_part(fs::path path) {
  struct stat ignored {};
  while (::stat(path.c_str(), &ignored) != 0 && errno == ENOENT && path.has_relative_path())
    path = path.parent_path();
  return path;
}

/// Name of the node that a directory belongs to, empty when nobody has claimed it.
result<std::string> owner_of(const fs::path& directory) {
  const auto file = directory / "node.json";
  const auto text = read_file(file, 64 * 1024);
  if (!text)
    return text.error().code() == errc::not_found ? result<std::string>(std::string{}) : text.error();
  const auto content = nlohmann::json::parse(*text, nullptr, false);
  const auto name = content.is_object() ? content.find("node") : content.end();
  if (!content.is_object() || name == content.end() || !name->is_string())
    return fail(errc::invalid, "{} is damaged; restore it as {{\"node\": \"NAME\"}} with the name of this node",
                file.string());
  return name->get<std::string>();
}

} // namespace

fs::path data_directory(const std::optional<std::string>& option) {
  std::string chosen = "penstock-data";
  if (const char* variable = std::getenv("PENSTOCK_DATA"); variable != nullptr && *variable != '\0')
    chosen = variable;
  std::error_code ignored;
  auto path = fs::absolute(option.value_or(chosen), ignored).lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

status check_data_directory(const fs::path& directory, const std::string& node) {
  const auto there = existing_part(directory);
  struct stat kind {};
  if (::stat(there.c_str(), &kind) != 0)
    return not_writable(there, errno);
  if (!S_ISDIR(kind.st_mode))
    return not_writable(there, ENOTDIR);
  if (::access(there.c_str(), W_OK | X_OK) != 0)
    return not_writable(there, errno);
  const auto owner = owner_of(directory);
  if (!owner)
    return owner.error();
  if (!owner->empty() && *owner != node)
    return fail(errc::conflict,
                "data directory {} belongs to node {}, not to {}; use --node {}, or another directory with --data DIR",
                directory.string(), *owner, node, *owner);
  const auto looked = storage::directory_lock::look(directory / "log");
  return !looked && looked.error().code() == errc::conflict ? status{looked.error()} : status{};
}

status claim_data_directory(const fs::path& directory, const std::string& node) {
  std::error_code failed;
  fs::create_directories(directory, failed);
  if (failed)
    return not_writable(directory, failed.value());
  const auto owner = owner_of(directory);
  if (!owner)
    return owner.error();
  if (!owner->empty())
    return {};
  return write_file_atomically(directory / "node.json", nlohmann::json{{"node", node}}.dump() + "\n");
}

} // namespace penstock::tools
