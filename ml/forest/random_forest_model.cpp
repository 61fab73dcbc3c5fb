// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/random_forest.hpp"
#include "ml/model_codec.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>
#include <vector>

namespace penstock::ml {

namespace {

/// Sums of leaves that stand on the stack while rows are scored: a whole tile of the kernels for narrow leaves.
constexpr std::size_t sums_at_once = 2048;
static_assert(sums_at_once >= forest::max_leaf_width);

} // namespace

random_forest_model::random_forest_model(const forest& trees, std::size_t classes)
    : features_(trees.features), classes_(classes), leaf_width_(trees.leaf_width), mean_(trees),
      kernel_(make_forest_kernel(trees)) {}

void random_forest_model::predict(std::span<const float> rows, std::span<double> out) const {
  std::array<float, sums_at_once> sums;
  const auto rows_at_once = sums_at_once / leaf_width_;
  const auto count = out.size() / outputs();
  for (std::size_t first = 0; first < count; first += rows_at_once) {
    const auto some = std::min(rows_at_once, count - first);
    kernel_->sum_leaves(rows.data() + first * features_, some, sums.data());
    auto* to = out.data() + first * outputs();
    if (classes_ == 2) {
      for (std::size_t i = 0; i < some; ++i) {
        const auto second = mean_(sums[i]);
        to[2 * i] = 1 - second;
        to[2 * i + 1] = second;
      }
      continue;
    }
    for (std::size_t i = 0; i < some * leaf_width_; ++i) {
      to[i] = mean_(sums[i]);
    }
  }
}

kernel_description random_forest_model::kernel() const {
  return kernel_->description();
}

std::size_t random_forest_model::memory() const {
  return sizeof(*this) + kernel_->memory();
}

std::string random_forest_model::encode(const forest& trees, std::size_t classes) {
  std::vector<std::string> encoded;
  for (const auto& tree : trees.trees) {
    encoded.push_back(encode_tree(tree, trees.values.data(), trees.leaf_width));
  }
  return encode(trees, classes, encoded);
}

std::string random_forest_model::encode(const forest& head, std::size_t classes, std::span<const std::string> trees) {
  constexpr std::size_t room_for_head = 64;
  const auto room = std::accumulate(trees.begin(), trees.end(), room_for_head,
                                    [](std::size_t sum, const std::string& tree) { return sum + tree.size(); });
  auto writer = open_model(classes == 0 ? regressor_name : classifier_name, room);
  auto& body = writer.body();
  if (classes != 0) {
    body.number(static_cast<std::uint32_t>(classes));
  }
  encode_head(head, body);
  for (const auto& tree : trees) {
    body.raw(tree);
  }
  return std::move(writer).sealed();
}

result<std::unique_ptr<model>> random_forest_model::decode_regressor(std::string_view payload) {
  auto trees = decode_forest(payload);
  if (!trees) {
    return trees.error();
  }
  return std::unique_ptr<model>(std::make_unique<random_forest_model>(*trees, 0));
}

result<std::unique_ptr<model>> random_forest_model::decode_classifier(std::string_view payload) {
  byte_reader reader(payload);
  const std::size_t classes = reader.number<std::uint32_t>();
  if (!reader.ok() || classes < 2 || classes > forest::max_leaf_width) {
    return fail(errc::invalid, "forest: {} classes, allowed are 2 to {}", classes, forest::max_leaf_width);
  }
  auto trees = decode_forest(reader.rest(), leaf_width(classes));
  if (!trees) {
    return trees.error();
  }
  return std::unique_ptr<model>(std::make_unique<random_forest_model>(*trees, classes));
}

} // namespace penstock::ml
