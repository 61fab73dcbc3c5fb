// SPDX-License-Identifier: Apache-2.0
// The input is taken as a package, and also as the bodies of its sections (each with a 16-bit length before it) within
// good seals, for no fuzzer guesses a checksum. What decodes must encode to a package that decodes again.
#include "base/bytes.hpp"
#include "ml/model_codec.hpp"
#include "ml/model_package.hpp"
#include "ml/sealed_block.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <tuple>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace penstock;
  using namespace penstock::ml;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  std::ignore = decode_package(input);
  byte_reader reader(input);
  const auto description = reader.raw(reader.number<std::uint16_t>());
  const auto golden = reader.raw(reader.number<std::uint16_t>());
  const auto model = seal(model_magic, model_version, reader.rest());
  const auto package = seal("PENSTPKG", 1, {}) + seal("PKG_DESC", 1, description) + seal("PKG_GOLD", 1, golden) +
                       seal("PKG_MODL", 1, model);
  const auto decoded = decode_package(package);
  if (decoded) {
    auto again = *decoded->package;
    again.encoded_model = model;
    if (!decode_package(again.encode())) {
      std::abort();
    }
  }
  return 0;
}
