// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace penstock {

static_assert(std::endian::native == std::endian::little,
              "durable formats are little-endian; add swaps for this target");

/// CRC-32C (Castagnoli) of bytes, as in RFC 3720 §B.4.
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes);

namespace detail {
/// `crc32c` without the processor's instruction, so that tests reach both ways on every machine.
[[nodiscard]] std::uint32_t crc32c_by_table(std::string_view bytes);
} // namespace detail

/// SHA-256 (FIPS 180-4) in lower-case hexadecimal.
[[nodiscard]] std::string sha256_hex(std::string_view bytes);

/// SHA-256 over pieces, for files larger than memory. One owner, not thread-safe.
class sha256_stream {
public:
  sha256_stream();
  ~sha256_stream();
  sha256_stream(const sha256_stream&) = delete;
  sha256_stream& operator=(const sha256_stream&) = delete;
  void update(std::string_view bytes);
  /// The digest of everything so far, in lower-case hexadecimal. Ends the stream: call it once.
  [[nodiscard]] std::string hex();

private:
  void* context_;
};

/// Appends little-endian fixed-width numbers and length-prefixed strings. Durable formats are written with this alone.
class byte_writer {
public:
  template <class T>
    requires std::is_arithmetic_v<T>
  void number(T value) {
    char raw[sizeof(T)];
    std::memcpy(raw, &value, sizeof(T));
    bytes_.append(raw, sizeof(T));
  }
  /// 32-bit length, then the bytes.
  void string(std::string_view value) {
    number(static_cast<std::uint32_t>(value.size()));
    bytes_.append(value);
  }
  void raw(std::string_view value) { bytes_.append(value); }
  void reserve(std::size_t count) { bytes_.reserve(count); }

  [[nodiscard]] const std::string& bytes() const& { return bytes_; }
  [[nodiscard]] std::string bytes() && { return std::move(bytes_); }

private:
  std::string bytes_;
};

/// Reads what `byte_writer` wrote out of untrusted bytes: past the end every read returns zero or empty and `ok()`
/// turns false for good, so a decoder checks once at its end. Never reads outside the bytes, never allocates.
class byte_reader {
public:
  explicit byte_reader(std::string_view bytes) : rest_(bytes) {}

  template <class T>
    requires std::is_arithmetic_v<T>
  [[nodiscard]] T number() {
    T value{};
    if (rest_.size() < sizeof(T)) {
      ok_ = false;
      rest_ = {};
      return value;
    }
    std::memcpy(&value, rest_.data(), sizeof(T));
    rest_.remove_prefix(sizeof(T));
    return value;
  }
  [[nodiscard]] std::string_view raw(std::size_t length) {
    if (rest_.size() < length) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    auto out = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return out;
  }
  [[nodiscard]] std::string_view string() { return raw(number<std::uint32_t>()); }

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] std::string_view rest() const { return rest_; }

private:
  std::string_view rest_;
  bool ok_ = true;
};

} // namespace penstock
