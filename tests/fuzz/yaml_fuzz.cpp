// SPDX-License-Identifier: Apache-2.0
#include "runtime/application.hpp"

#include <cstdlib>

using namespace penstock;

/// Any text is an application, or is refused as a configuration error with a line.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const auto variables = [](const std::string& name) -> std::optional<std::string> {
    return name.size() % 2 == 0 ? std::optional<std::string>("4") : std::nullopt;
  };
  const auto read =
      runtime::parse_application({reinterpret_cast<const char*>(data), size}, "/nonexistent/app.yaml", variables);
  if (read ? read->name.empty() || read->topics.size() > size
           : read.error().code() != errc::configuration || !read.error().text().starts_with("/nonexistent/app.yaml:"))
    std::abort();
  return 0;
}
