// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::ml {

/// The envelope of every durable form of this folder:
///
///     magic (8 bytes) | version u32 | length of the body u64 | CRC-32C of these 20 bytes u32 | body | CRC-32C of the
///     body u32
///
/// The header has a checksum of its own, so that a flipped bit in the version is told apart from a newer version.

/// Writes a block in one piece of memory: the body between construction and `sealed`.
class block_writer {
public:
  /// @param magic  8 characters
  /// @param room   bytes of the body, as far as known, so that they need not move while they grow
  block_writer(std::string_view magic, std::uint32_t version, std::size_t room = 0);

  [[nodiscard]] byte_writer& body() { return writer_; }
  [[nodiscard]] std::string sealed() &&;

private:
  byte_writer writer_; ///< the header as yet without length and checksum, then the body
};

/// Puts the envelope around a body.
[[nodiscard]] std::string seal(std::string_view magic, std::uint32_t version, std::string_view body);

struct unsealed_block {
  std::uint32_t version = 0;
  std::string_view body; ///< inside the bytes given
  std::string_view rest; ///< what follows the block
};

/// Opens the block at the beginning of untrusted bytes. `errc::invalid` when it is not whole, not of this magic or its
/// checksums do not hold; `errc::configuration` when its version is above `newest`. `what` names the thing in the text.
[[nodiscard]] result<unsealed_block> unseal(std::string_view bytes, std::string_view magic, std::uint32_t newest,
                                            const char* what);

} // namespace penstock::ml
