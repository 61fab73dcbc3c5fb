// SPDX-License-Identifier: Apache-2.0
// The input is the inside of a model; the seal is put around it, for no fuzzer guesses a checksum. What decodes must
// encode to the same bytes, predict without harm, and give the same sums by every kernel.
#include "base/bytes.hpp"
#include "base/cpu.hpp"
#include "ml/forest/forest_kernel.hpp"
#include "ml/forest/random_forest.hpp"
#include "ml/learner.hpp"
#include "ml/model_codec.hpp"
#include "ml/sealed_block.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string_view>
#include <tuple>
#include <vector>

namespace {

using namespace penstock;
using namespace penstock::ml;

constexpr std::size_t count = 17;

void expect(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void check_kernels(const forest& trees, const std::vector<float>& rows) {
  std::vector<float> expected(count * trees.leaf_width);
  make_linked_kernel(trees, "")->sum_leaves(rows.data(), count, expected.data());
  for (auto set :
       {instruction_set::portable, instruction_set::avx2, instruction_set::avx512, instruction_set::avx512_vbmi}) {
    const auto kernel = make_forest_kernel(trees, set);
    for (std::size_t batch : {count, std::size_t{1}}) {
      std::vector<float> sums(expected.size());
      for (std::size_t row = 0; row + batch <= count; row += batch) {
        kernel->sum_leaves(rows.data() + row * trees.features, batch, sums.data() + row * trees.leaf_width);
      }
      expect(std::memcmp(sums.data(), expected.data(), sums.size() * sizeof(float)) == 0);
    }
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  std::ignore = decode_model(input);
  const auto sealed = seal(model_magic, model_version, input);
  const auto decoded = decode_model(sealed);
  if (!decoded) {
    return 0;
  }
  const auto& model = **decoded;
  expect(model.memory() <= 64 * (size + model.features() + 64));
  std::vector<float> rows(count * model.features());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i] = i % 7 == 0 ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(i % 5);
  }
  std::vector<double> out(count * model.outputs());
  model.predict(rows, out);

  byte_reader body(input);
  std::size_t classes = 0;
  if (body.string() == random_forest_model::classifier_name) {
    classes = body.number<std::uint32_t>();
  }
  const auto trees = decode_forest(body.rest(), random_forest_model::leaf_width(classes));
  expect(trees && random_forest_model::encode(*trees, classes) == sealed);
  check_kernels(*trees, rows);
  return 0;
}
