// SPDX-License-Identifier: Apache-2.0
#include "ml/sealed_block.hpp"

#include <utility>

namespace penstock::ml {

namespace {
constexpr std::size_t magic_size = 8;
constexpr std::size_t header_size = magic_size + sizeof(std::uint32_t) + sizeof(std::uint64_t);
} // namespace

block_writer::block_writer(std::string_view magic, std::uint32_t version, std::size_t room) {
  writer_.reserve(header_size + room + 2 * sizeof(std::uint32_t));
  writer_.raw(magic);
  writer_.number(version);
  writer_.number(std::uint64_t{0});
  writer_.number(std::uint32_t{0});
}

std::string block_writer::sealed() && {
  constexpr auto begin = header_size + sizeof(std::uint32_t);
  const auto body = std::string_view(writer_.bytes()).substr(begin);
  byte_writer header;
  header.raw(std::string_view(writer_.bytes()).substr(0, magic_size + sizeof(std::uint32_t)));
  header.number(static_cast<std::uint64_t>(body.size()));
  header.number(crc32c(header.bytes()));
  writer_.number(crc32c(body));
  auto bytes = std::move(writer_).bytes();
  bytes.replace(0, begin, header.bytes());
  return bytes;
}

std::string seal(std::string_view magic, std::uint32_t version, std::string_view body) {
  block_writer writer(magic, version, body.size());
  writer.body().raw(body);
  return std::move(writer).sealed();
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
