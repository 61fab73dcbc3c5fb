// SPDX-License-Identifier: Apache-2.0
// The input is a small data set and the parameters of a forest. Every instruction set of this processor must grow the
// trees of the scalar reference, bit for bit.
#include "ml/forest/random_forest.hpp"
#include "tests/support/reference_forest.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <map>
#include <span>
#include <string>

namespace {

using namespace penstock;

/// Bytes one after the other, zeros behind the last.
class byte_source {
public:
  explicit byte_source(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
  [[nodiscard]] std::uint8_t next() { return at_ < bytes_.size() ? bytes_[at_++] : 0; }
  [[nodiscard]] bool at_end() const { return at_ == bytes_.size(); }

private:
  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
};

struct fuzzed_case {
  ml::column_matrix features;
  ml::vector target;
  std::vector<std::string> classes;
  testing::reference_parameters reference;
  std::map<std::string, std::string> parameters;

  explicit fuzzed_case(byte_source from) {
    reference.max_depth = 1 + from.next() % 12U;
    reference.min_samples_split = 2 + from.next() % 32U;
    reference.min_samples_leaf = 1 + from.next() % 16U;
    reference.max_features = 1 + from.next() % 12U;
    reference.seed = from.next();
    reference.bootstrap = from.next() % 4 != 0;
    reference.classes = from.next() % 5U;
    reference.classes = reference.classes == 1 ? 0 : reference.classes;
    const auto rows = static_cast<Eigen::Index>(4 + from.next() + from.next() % 64U);
    const auto columns = static_cast<Eigen::Index>(1 + from.next() % 10U);
    features.resize(rows, columns);
    target.resize(rows);
    for (Eigen::Index row = 0; row < rows; ++row) {
      target(row) = from.next() * 1.5;
      for (Eigen::Index column = 0; column < columns; ++column) {
        const auto byte = from.next();
        features(row, column) = byte == 255 ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(byte) / 8;
      }
    }
    for (std::size_t number = 0; number < reference.classes; ++number) {
      classes.push_back(std::to_string(number));
    }
    for (Eigen::Index row = 0; row < rows && reference.classes != 0; ++row) {
      const auto number = row < 4 ? static_cast<std::size_t>(row) : static_cast<std::size_t>(target(row) / 1.5);
      target(row) = static_cast<double>(number % reference.classes);
    }
    parameters = {{"n_estimators", "1"},
                  {"max_depth", std::to_string(reference.max_depth)},
                  {"min_samples_split", std::to_string(reference.min_samples_split)},
                  {"min_samples_leaf", std::to_string(reference.min_samples_leaf)},
                  {"max_features", std::to_string(reference.max_features)},
                  {"random_state", std::to_string(reference.seed)},
                  {"bootstrap", reference.bootstrap ? "true" : "false"}};
  }
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 8192) {
    return 0;
  }
  const fuzzed_case made{byte_source({data, size})};
  const auto expected = ml::random_forest_model::encode(
      testing::grow_reference_forest(made.features, made.target, made.reference), made.reference.classes);
  const auto learner = ml::make_learner(
      {made.classes.empty() ? "random_forest_regressor" : "random_forest_classifier", made.parameters});
  for (auto set :
       {instruction_set::portable, instruction_set::avx2, instruction_set::avx512, instruction_set::avx512_vbmi}) {
    if (set > supported_instructions()) {
      continue;
    }
    ml::training_control control;
    control.instructions = set;
    const auto trained = (*learner)->train({made.features, made.target, made.classes}, control);
    if (!trained || trained->encoded != expected) {
      std::abort();
    }
  }
  return 0;
}
