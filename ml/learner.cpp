// SPDX-License-Identifier: Apache-2.0
#include "ml/learner.hpp"

#include "base/bytes.hpp"
#include "base/spelling.hpp"
#include "ml/forest/random_forest.hpp"
#include "ml/model_codec.hpp"
#include "ml/sealed_block.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace penstock::ml {

namespace {

/// A kind of model: how to make its learner, and how to read what its models encode.
struct learner_type {
  std::string_view name;
  result<std::unique_ptr<learner>> (*make)(const std::map<std::string, std::string>& parameters);
  result<std::unique_ptr<model>> (*decode)(std::string_view payload);
};

template <bool Classifies>
result<std::unique_ptr<learner>> make_random_forest(const std::map<std::string, std::string>& values) {
  auto parameters = random_forest_parameters::make(values, Classifies);
  if (!parameters) {
    return parameters.error();
  }
  return std::unique_ptr<learner>(std::make_unique<random_forest>(*std::move(parameters), Classifies));
}

constexpr std::array learner_types{
    learner_type{random_forest_model::regressor_name, make_random_forest<false>, random_forest_model::decode_regressor},
    learner_type{random_forest_model::classifier_name, make_random_forest<true>,
                 random_forest_model::decode_classifier},
};

const learner_type* find(std::string_view name) {
  for (const auto& type : learner_types) {
    if (type.name == name) {
      return &type;
    }
  }
  return nullptr;
}

} // namespace

std::size_t most_probable(std::span<const double> probabilities) {
  return static_cast<std::size_t>(std::max_element(probabilities.begin(), probabilities.end()) - probabilities.begin());
}

result<std::unique_ptr<learner>> make_learner(const learner_spec& spec) {
  if (const auto* type = find(spec.type)) {
    return type->make(spec.parameters);
  }
  std::vector<std::string> names;
  for (const auto& type : learner_types) {
    names.emplace_back(type.name);
  }
  const auto meant = nearest(spec.type, names);
  return fail(errc::configuration, "there is no learner {}; {}", spec.type.substr(0, 64),
              meant ? fmt::format("did you mean {}?", *meant) : fmt::format("known are: {}", fmt::join(names, ", ")));
}

block_writer open_model(std::string_view type, std::size_t room) {
  block_writer writer(model_magic, model_version, sizeof(std::uint32_t) + type.size() + room);
  writer.body().string(type);
  return writer;
}

result<std::unique_ptr<model>> decode_model(std::string_view bytes) {
  auto block = unseal(bytes, model_magic, model_version, "model");
  if (!block) {
    return block.error();
  }
  if (!block->rest.empty()) {
    return fail(errc::invalid, "model: {} bytes too many", block->rest.size());
  }
  byte_reader body(block->body);
  const auto name = body.string();
  const auto* type = body.ok() ? find(name) : nullptr;
  if (!type) {
    return fail(errc::configuration, "model: this build has no learner {}; update Penstock on this machine",
                name.substr(0, 64));
  }
  return type->decode(body.rest());
}

} // namespace penstock::ml
