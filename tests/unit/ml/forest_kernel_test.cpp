// SPDX-License-Identifier: Apache-2.0
#include "ml/forest_kernel.hpp"
#include "tests/support/reference_forest.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <random>

namespace penstock::ml {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

/// A tree of random shape, thresholds on a coarse grid so that rows meet them exactly.
tree_nodes random_tree(std::mt19937& random, std::size_t features, unsigned depth, unsigned leaf_share) {
  tree_nodes nodes(1);
  std::vector<unsigned> level{0};
  for (std::uint32_t i = 0; i < nodes.size(); ++i) {
    if (level[i] == depth || random() % 100 < leaf_share) {
      nodes[i].number = static_cast<float>(random() % 2000) / 977.0F - 1;
      continue;
    }
    const auto left = static_cast<std::uint32_t>(nodes.size());
    nodes[i] = {left, left + 1, static_cast<std::uint16_t>(random() % features), random() % 2 == 0,
                random() % 20 == 0 ? std::numeric_limits<float>::infinity() : static_cast<float>(random() % 10)};
    nodes.resize(nodes.size() + 2);
    level.insert(level.end(), 2, level[i] + 1);
  }
  return nodes;
}

forest random_forest(std::uint32_t seed, unsigned depth, unsigned leaf_share) {
  std::mt19937 random(seed);
  forest made;
  made.features = 1 + random() % 12;
  made.offset = 12.5;
  made.scale = 4;
  const auto trees = 1 + random() % 40;
  for (unsigned i = 0; i < trees; ++i) {
    made.trees.push_back(random_tree(random, made.features, depth, leaf_share));
  }
  return made;
}

std::vector<float> random_rows(std::uint32_t seed, std::size_t count, unsigned missing_share) {
  std::mt19937 random(seed);
  std::vector<float> rows(count);
  for (float& x : rows) {
    x = random() % 100 < missing_share ? nan : static_cast<float>(random() % 10);
    x = random() % 50 == 0 ? -std::numeric_limits<float>::infinity() : x;
    x = random() % 50 == 0 ? std::numeric_limits<float>::infinity() : x;
  }
  return rows;
}

bool same_bits(double a, double b) {
  return std::memcmp(&a, &b, sizeof(a)) == 0;
}

void expect_reference(const forest_kernel& kernel, const forest& from, std::uint32_t seed, unsigned missing_share) {
  constexpr std::size_t count = 700;
  const auto rows = random_rows(seed, count * from.features, missing_share);
  for (std::size_t batch : {std::size_t{1}, std::size_t{7}, std::size_t{64}, std::size_t{300}, count}) {
    std::vector<double> out(count);
    for (std::size_t first = 0; first < count; first += batch) {
      const auto size = std::min(batch, count - first);
      kernel.predict(std::span(rows).subspan(first * from.features, size * from.features),
                     std::span(out).subspan(first, size));
    }
    for (std::size_t row = 0; row < count; ++row) {
      const auto expected = testing::predict_reference(from, &rows[row * from.features]);
      ASSERT_TRUE(same_bits(out[row], expected))
          << "seed " << seed << " batch " << batch << " row " << row << ": " << out[row] << " for " << expected;
    }
  }
}

TEST(forest_kernel, heaps_give_the_bits_of_the_reference) {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    const auto from = random_forest(seed, seed % 8, 5);
    if (const auto kernel = make_heap_kernel(from)) {
      expect_reference(*kernel, from, seed, seed % 2 == 0 ? 0 : 10);
    }
  }
}

TEST(forest_kernel, linked_nodes_give_the_bits_of_the_reference) {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    const auto from = random_forest(seed, 1 + seed, 30);
    expect_reference(*make_linked_kernel(from), from, seed, seed % 2 == 0 ? 0 : 10);
  }
}

TEST(forest_kernel, full_shallow_trees_become_heaps) {
  EXPECT_NE(make_heap_kernel(random_forest(1, 10, 0)), nullptr);
}

/// A tree of one inner node per level: row x ends at the leaf of value x rounded up, at most `levels` − 1.
forest chain_of(std::uint32_t levels) {
  forest chain;
  chain.features = 1;
  tree_nodes nodes(1);
  for (std::uint32_t level = 0; level < levels; ++level) {
    const auto left = static_cast<std::uint32_t>(nodes.size());
    nodes[level == 0 ? 0 : left - 1] = {left, left + 1, 0, false, static_cast<float>(level)};
    nodes.resize(nodes.size() + 2);
    nodes[left].number = static_cast<float>(level);
  }
  chain.trees.push_back(nodes);
  return chain;
}

TEST(forest_kernel, a_chain_does_not_blow_up) {
  EXPECT_EQ(depth_of(chain_of(5000).trees[0]), 5000U);
  for (std::uint32_t levels : {8U, 5000U}) {
    const auto chain = chain_of(levels);
    EXPECT_EQ(make_heap_kernel(chain), nullptr);
    const auto kernel = make_forest_kernel(chain);
    EXPECT_LT(kernel->memory(), 1000 + 40 * levels);
    double out = 0;
    const float row = static_cast<float>(levels) - 7;
    kernel->predict({&row, 1}, {&out, 1});
    EXPECT_EQ(out, levels - 7);
  }
}

TEST(forest_kernel, a_forest_of_roots_is_a_constant) {
  forest roots;
  roots.features = 2;
  roots.trees.assign(3, tree_nodes(1));
  roots.trees[1][0].number = 1.5F;
  for (const auto& kernel : {make_heap_kernel(roots), make_linked_kernel(roots)}) {
    ASSERT_NE(kernel, nullptr);
    const std::vector<float> rows(20 * 2, nan);
    std::vector<double> out(20);
    kernel->predict(rows, out);
    EXPECT_EQ(out, std::vector<double>(20, 0.5));
    kernel->predict({}, {});
  }
}

} // namespace
} // namespace penstock::ml
