// SPDX-License-Identifier: Apache-2.0
#include "ml/sealed_block.hpp"

#include "base/bytes.hpp"

namespace penstock::ml {

namespace {
constexpr std::size_t magic_size = 8;
constexpr std::size_t header_size = magic_size + sizeof(std::uint32_t) + sizeof(std::uint64_t);
} // namespace

std::string seal(std::string_view magic, std::uint32_t version, std::string_view body) {
  byte_writer writer;
  writer.raw(magic);
  writer.number(version);
  writer.number(static_cast<std::uint64_t>(body.size()));
  writer.number(crc32c(writer.bytes()));
  writer.raw(body);
  writer.number(crc32c(body));
  return std::move(writer).bytes();
}

result<unsealed_block> unseal(std::string_view bytes, std::string_view magic, std::uint32_t newest, const char* what) {
  byte_reader reader(bytes);
  if (reader.raw(magic_size) != magic) {
    return fail(errc::invalid, "{}: does not begin with its magic; this is another kind of file, or damaged", what);
  }
  const auto version = reader.number<std::uint32_t>();
  const auto length = reader.number<std::uint64_t>();
  const auto header_checksum = reader.number<std::uint32_t>();
  if (!reader.ok()) {
    return fail(errc::invalid, "{}: is cut off after {} bytes", what, bytes.size());
  }
  if (header_checksum != crc32c(bytes.substr(0, header_size)) || version == 0) {
    return fail(errc::invalid, "{}: the checksum of its header does not hold; the bytes are damaged", what);
  }
  if (version > newest) {
    return fail(errc::configuration,
                "{}: was written in format version {}, this build reads up to {}; update Penstock on this machine",
                what, version, newest);
  }
  const auto body = reader.raw(length);
  const auto body_checksum = reader.number<std::uint32_t>();
  if (!reader.ok()) {
    return fail(errc::invalid, "{}: is cut off: {} bytes are announced, {} are there", what, length,
                bytes.size() - header_size);
  }
  if (body_checksum != crc32c(body)) {
    return fail(errc::invalid, "{}: its checksum does not hold; the bytes are damaged", what);
  }
  return unsealed_block{version, body, reader.rest()};
}

} // namespace penstock::ml
