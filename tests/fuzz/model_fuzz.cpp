// SPDX-License-Identifier: Apache-2.0
// The input is the inside of a model; the seal is put around it, for no fuzzer guesses a checksum. What decodes must
// encode to the same bytes and predict without harm.
#include "ml/learner.hpp"
#include "ml/model_codec.hpp"
#include "ml/sealed_block.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string_view>
#include <tuple>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace penstock::ml;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  std::ignore = decode_model(input);
  const auto sealed = seal(model_magic, model_version, input);
  const auto decoded = decode_model(sealed);
  if (!decoded) {
    return 0;
  }
  const auto& model = **decoded;
  if (model.encode() != sealed || model.memory() > 64 * (size + 64)) {
    std::abort();
  }
  constexpr std::size_t count = 17;
  std::vector<float> rows(count * model.features());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i] = i % 7 == 0 ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(i % 5);
  }
  std::vector<double> out(count);
  model.predict(rows, out);
  return 0;
}
