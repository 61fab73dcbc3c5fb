// SPDX-License-Identifier: Apache-2.0
// Appends records of any bytes to a topic of a log that nobody holds: what a careless producer would leave there.
#include "storage/log.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>

using namespace penstock;

namespace {

/// Bytes of two hexadecimal digits each; none when they are not.
std::optional<std::string> bytes_of(const std::string& hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    char* end = nullptr;
    const auto pair = hex.substr(i, 2);
    out.push_back(static_cast<char>(std::strtoul(pair.c_str(), &end, 16)));
    if (*end != '\0')
      return std::nullopt;
  }
  return hex.size() % 2 == 0 ? std::optional(out) : std::nullopt;
}

/// Reads lines `KEY,VALUE` in hexadecimal and appends each to the partition of its key.
status append_lines(storage::log& log, const std::string& topic, std::int32_t partitions) {
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto comma = line.find(',');
    const auto key = bytes_of(line.substr(0, comma));
    const auto value = comma == std::string::npos ? std::nullopt : bytes_of(line.substr(comma + 1));
    if (!key || !value)
      return fail(errc::usage, "not KEY,VALUE in hexadecimal: {}", line);
    storage::record_batch records;
    records.add(*key, *value, {}, system_clock().wall());
    const storage::partition_id to{topic, storage::partition_of(*key, partitions)};
    const auto offset = log.append(to, records);
    if (!offset)
      return offset.error();
    fmt::print("{}/{}\n", to.text(), *offset);
  }
  return {};
}

status produce(const std::string& url, const std::string& topic, std::int32_t partitions) {
  auto log = storage::open_log(url, {});
  if (!log)
    return log.error();
  storage::topic_spec spec;
  spec.name = topic;
  spec.partitions = partitions;
  if (auto created = (*log)->create_topic(spec); !created)
    return created;
  return append_lines(**log, topic, partitions);
}

} // namespace

int main(int count, char** words) {
  if (count != 4) {
    std::fputs("usage: produce_raw LOG TOPIC PARTITIONS < lines of KEY,VALUE in hexadecimal\n", stderr);
    return static_cast<int>(errc::usage);
  }
  const auto done = produce(words[1], words[2], static_cast<std::int32_t>(std::strtol(words[3], nullptr, 10)));
  if (done)
    return 0;
  fmt::print(stderr, "produce_raw: {}\n", done.error().text());
  return static_cast<int>(done.error().code());
}
