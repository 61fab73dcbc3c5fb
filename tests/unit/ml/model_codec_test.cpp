// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"
#include "ml/forest/forest.hpp"
#include "ml/forest/random_forest.hpp"
#include "ml/model_codec.hpp"
#include "ml/sealed_block.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace penstock::ml {
namespace {

constexpr std::uint16_t leaf = 0xFFFF;

struct written_node {
  std::uint16_t tag;
  float number;
};

/// A forest of one tree, written down node by node.
std::string written(std::uint32_t features, std::uint32_t count, const std::vector<written_node>& nodes,
                    std::uint32_t trees = 1, double scale = 1) {
  byte_writer to;
  to.number(features);
  to.number(trees);
  to.number(0.0);
  to.number(scale);
  to.number(count);
  for (const auto& node : nodes) {
    to.number(node.tag);
    to.number(node.number);
  }
  return std::move(to).bytes();
}

void expect_refused(const std::string& payload) {
  const auto decoded = decode_forest(payload);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code(), errc::invalid);
}

TEST(model_codec, reads_a_tree_in_preorder) {
  const auto decoded = decode_forest(written(2, 5, {{0x8001, 1}, {0, 2}, {leaf, 3}, {leaf, 4}, {leaf, 5}}));
  ASSERT_TRUE(decoded) << decoded.error().text();
  const auto& nodes = decoded->trees[0];
  EXPECT_TRUE(nodes[0].missing_left);
  EXPECT_EQ(nodes[0].feature, 1);
  EXPECT_EQ(nodes[0].left, 1U);
  EXPECT_EQ(nodes[0].right, 4U);
  EXPECT_EQ(nodes[1].left, 2U);
  EXPECT_EQ(nodes[1].right, 3U);
  EXPECT_EQ(nodes[4].number, 5);
}

TEST(model_codec, refuses_trees_that_do_not_close) {
  expect_refused(written(1, 1, {{0, 1}}));
  expect_refused(written(1, 2, {{0, 1}, {leaf, 2}}));
  expect_refused(written(1, 2, {{leaf, 1}, {leaf, 2}}));
  expect_refused(written(1, 4, {{0, 1}, {leaf, 2}, {leaf, 3}, {leaf, 4}}));
  expect_refused(written(1, 3, {{0, 1}, {leaf, 2}, {0, 3}}));
}

TEST(model_codec, refuses_features_out_of_range_and_numbers_that_are_none) {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  constexpr float infinity = std::numeric_limits<float>::infinity();
  expect_refused(written(1, 3, {{1, 1}, {leaf, 2}, {leaf, 3}}));
  expect_refused(written(1, 3, {{0, nan}, {leaf, 2}, {leaf, 3}}));
  expect_refused(written(1, 3, {{0, -infinity}, {leaf, 2}, {leaf, 3}}));
  expect_refused(written(1, 1, {{leaf, nan}}));
  expect_refused(written(1, 1, {{leaf, infinity}}));
  expect_refused(written(0, 1, {{leaf, 1}}));
  expect_refused(written(32768, 1, {{leaf, 1}}));
  expect_refused(written(1, 1, {{leaf, 1}}, 1, 0));
  expect_refused(written(1, 1, {{leaf, 1}}, 1, nan));
  EXPECT_TRUE(decode_forest(written(1, 3, {{0, infinity}, {leaf, 2}, {leaf, 3}})));
}

TEST(model_codec, refuses_counts_that_the_bytes_do_not_hold) {
  expect_refused(written(1, 0xFFFFFFFF, {{leaf, 1}}));
  expect_refused(written(1, 0, {{leaf, 1}}));
  expect_refused(written(1, 2, {{leaf, 1}}));
  expect_refused(written(1, 1, {{leaf, 1}}, 0xFFFFFFFF));
  expect_refused(written(1, 1, {{leaf, 1}}, 0));
  expect_refused(written(1, 1, {{leaf, 1}}, 2));
  expect_refused(written(1, 1, {{leaf, 1}, {leaf, 2}}));
}

TEST(model_codec, a_model_is_refused_when_flipped_cut_or_newer) {
  forest roots;
  roots.features = 1;
  roots.trees.assign(2, tree_nodes(1));
  auto bytes = random_forest_model::encode(roots, 0);
  ASSERT_TRUE(decode_model(bytes));
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    const auto decoded = decode_model(bytes);
    ASSERT_FALSE(decoded) << "bit " << bit;
    EXPECT_EQ(decoded.error().code(), errc::invalid) << "bit " << bit;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
  }
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    ASSERT_FALSE(decode_model(std::string_view(bytes).substr(0, length)));
  }
  EXPECT_FALSE(decode_model(bytes + "x"));
  EXPECT_EQ(decode_model(seal(model_magic, model_version + 1, "")).error().code(), errc::configuration);
}

} // namespace
} // namespace penstock::ml
