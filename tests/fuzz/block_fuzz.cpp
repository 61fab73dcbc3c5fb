// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"
#include "storage/block_codec.hpp"
#include "storage/topic_table.hpp"

#include <cstring>
#include <string>

namespace {

void unpack(std::string_view bytes) {
  auto header = penstock::storage::block_header::open(bytes);
  if (!header)
    return;
  std::string scratch;
  auto view = penstock::storage::block_view::open(*header, scratch);
  if (!view)
    return;
  penstock::storage::record_batch out;
  view->copy_to(out, header->count / 2, 10, 1000);
  view->copy_to(out, 0, header->count, std::size_t{1} << 24);
}

} // namespace

/// Bytes as they are, and the same with their checksums put right, so that what lies behind them is reached too.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  unpack(bytes);
  (void)penstock::storage::decode_topic(bytes);
  (void)penstock::storage::decode_headers(bytes);
  if (size >= 60) {
    auto put = [&bytes](std::size_t at, std::uint32_t value) { std::memcpy(bytes.data() + at, &value, 4); };
    put(48, static_cast<std::uint32_t>(size - 60));
    put(52, penstock::crc32c(std::string_view(bytes).substr(60)));
    put(56, penstock::crc32c(std::string_view(bytes).substr(0, 56)));
    unpack(bytes);
  }
  return 0;
}
