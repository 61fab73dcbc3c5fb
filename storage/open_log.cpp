// SPDX-License-Identifier: Apache-2.0
#include "storage/embedded_log.hpp"
#include "storage/log.hpp"

#include <string_view>

namespace penstock::storage {

result<std::unique_ptr<log>> open_log(const std::string& url, const log_options& options) {
  constexpr std::string_view embedded = "rocksdb:";
  if (url.starts_with(embedded)) {
    auto opened = embedded_log::open(url.substr(embedded.size()), options);
    if (!opened)
      return opened.error();
    return std::unique_ptr<log>(std::move(*opened));
  }
  // The second backend is opened here.
  if (url.starts_with("kafka:"))
    return fail(errc::configuration,
                "cannot open log {}: this build has the embedded log only; use rocksdb:DIR, such as "
                "rocksdb:/var/lib/penstock",
                url);
  return fail(errc::configuration, "cannot open log {}: unknown scheme; use rocksdb:DIR or kafka://host:port,…", url);
}

} // namespace penstock::storage
