// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"

#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <new>
#include <stdexcept>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace penstock {

namespace {

constexpr std::uint32_t castagnoli = 0x82F63B78U; // reflected polynomial

using crc_tables = std::array<std::array<std::uint32_t, 256>, 8>;

/// Slicing-by-8 (Kounavis and Berry, 2005): table k advances a byte over k further zero bytes.
constexpr crc_tables make_tables() {
  crc_tables tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc >> 1) ^ ((crc & 1U) != 0 ? castagnoli : 0U);
    tables[0][i] = crc;
  }
  for (std::size_t k = 1; k < tables.size(); ++k)
    for (std::size_t i = 0; i < 256; ++i)
      tables[k][i] = (tables[k - 1][i] >> 8) ^ tables[0][tables[k - 1][i] & 0xFFU];
  return tables;
}

constexpr crc_tables tables = make_tables();

std::uint32_t crc_by_table(std::uint32_t crc, const char* data, std::size_t size) {
  for (; size >= 8; data += 8, size -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, data, sizeof word);
    word ^= crc;
    crc = 0;
    for (std::size_t k = 0; k < 8; ++k)
      crc ^= tables[7 - k][(word >> (8 * k)) & 0xFFU];
  }
  for (; size > 0; ++data, --size)
    crc = (crc >> 8) ^ tables[0][(crc ^ static_cast<unsigned char>(*data)) & 0xFFU];
  return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t crc_by_instruction(std::uint32_t crc, const char* data,
                                                                   std::size_t size) {
  std::uint64_t wide = crc;
  for (; size >= 8; data += 8, size -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, data, sizeof word);
    wide = _mm_crc32_u64(wide, word);
  }
  crc = static_cast<std::uint32_t>(wide);
  for (; size > 0; ++data, --size)
    crc = _mm_crc32_u8(crc, static_cast<unsigned char>(*data));
  return crc;
}
#endif

using crc_function = std::uint32_t (*)(std::uint32_t, const char*, std::size_t);

crc_function fastest_crc() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2"))
    return crc_by_instruction;
#endif
  return crc_by_table;
}

EVP_MD_CTX* context_of(void* context) {
  return static_cast<EVP_MD_CTX*>(context);
}

} // namespace

std::uint32_t crc32c(std::string_view bytes) {
  static const crc_function advance = fastest_crc();
  return ~advance(~0U, bytes.data(), bytes.size());
}

namespace detail {

std::uint32_t crc32c_by_table(std::string_view bytes) {
  return ~crc_by_table(~0U, bytes.data(), bytes.size());
}

} // namespace detail

sha256_stream::sha256_stream() : context_(EVP_MD_CTX_new()) {
  if (context_ == nullptr)
    throw std::bad_alloc();
  if (EVP_DigestInit_ex(context_of(context_), EVP_sha256(), nullptr) != 1) {
    EVP_MD_CTX_free(context_of(context_));
    throw std::runtime_error("OpenSSL provides no SHA-256");
  }
}

sha256_stream::~sha256_stream() {
  EVP_MD_CTX_free(context_of(context_));
}

void sha256_stream::update(std::string_view bytes) {
  EVP_DigestUpdate(context_of(context_), bytes.data(), bytes.size());
}

std::string sha256_stream::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  EVP_DigestFinal_ex(context_of(context_), digest.data(), &length);
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(std::size_t{length} * 2);
  for (std::size_t i = 0; i < length; ++i) {
    out.push_back(digits[digest[i] >> 4]);
    out.push_back(digits[digest[i] & 15U]);
  }
  return out;
}

std::string sha256_hex(std::string_view bytes) {
  sha256_stream stream;
  stream.update(bytes);
  return stream.hex();
}

} // namespace penstock
