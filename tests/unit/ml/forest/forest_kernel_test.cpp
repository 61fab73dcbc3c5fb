// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/byte_kernel.hpp"
#include "ml/forest/forest_kernel.hpp"
#include "tests/unit/ml/forest/forest_shapes.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>

namespace penstock::ml {
namespace {

using testing::infinity;
using testing::nan;
using testing::random_forest;
using testing::random_rows;
using testing::shape;

constexpr std::size_t most_rows = 1000;

/// Every kernel that this processor can run and that takes the forest's shape.
std::vector<std::unique_ptr<forest_kernel>> kernels_of(const forest& from) {
  std::vector<std::unique_ptr<forest_kernel>> all;
  for (auto set : {instruction_set::avx512_vbmi, instruction_set::avx512, instruction_set::avx2}) {
    if (auto kernel = make_byte_kernel(from, set, "")) {
      EXPECT_EQ((*kernel)->description().name, name_of(set));
      all.push_back(*std::move(kernel));
    }
  }
  if (auto kernel = make_heap_kernel(from, "")) {
    all.push_back(std::move(kernel));
  }
  all.push_back(make_linked_kernel(from, ""));
  return all;
}

/// In blocks of memory of the exact size, at odd places, so that a sanitizer sees every step beside them.
std::vector<float> sums_of(const forest_kernel& kernel, const float* rows, std::size_t count, const forest& from) {
  constexpr float untouched = 12345.5F;
  const auto input = std::make_unique<float[]>(count * from.features + 1);
  const auto output = std::make_unique<float[]>(count * from.leaf_width + 1);
  std::copy_n(rows, count * from.features, input.get() + 1);
  std::fill_n(output.get(), count * from.leaf_width + 1, untouched);
  kernel.sum_leaves(input.get() + 1, count, output.get() + 1);
  EXPECT_EQ(output[0], untouched);
  return {output.get() + 1, output.get() + 1 + count * from.leaf_width};
}

void expect_plain_sums(const forest& from, const std::vector<float>& rows, const std::string& what) {
  const auto width = from.leaf_width;
  const auto count = rows.size() / from.features;
  std::vector<float> expected(count * width);
  for (std::size_t row = 0; row < count; ++row) {
    testing::plain_sums(from, &rows[row * from.features], &expected[row * width]);
  }
  for (const auto& kernel : kernels_of(from)) {
    for (const auto batch : std::vector<std::size_t>{0, 1, 2, 6, 7, 8, 15, 31, 63, 64, 65, 127, 200, 1000}) {
      const auto first = batch == 1 ? count / 2 : 0;
      const auto some = std::min(batch, count - first);
      const auto sums = sums_of(*kernel, rows.data() + first * from.features, some, from);
      for (std::size_t i = 0; i < sums.size(); ++i) {
        ASSERT_EQ(std::memcmp(&sums[i], &expected[first * width + i], sizeof(float)), 0)
            << what << ", " << kernel->description().name << ", batch " << batch << ", row " << first + i / width
            << ": " << sums[i] << " for " << expected[first * width + i];
      }
    }
  }
}

void expect_plain_sums(std::uint32_t seed, const shape& of) {
  const auto from = random_forest(seed, of);
  for (unsigned missing : {0U, 5U}) {
    const auto rows = random_rows(seed, from, of.depth > 12 || of.features > 100 ? 260 : most_rows, missing);
    expect_plain_sums(
        from, rows, fmt::format("seed {}, {} features, depth {}, {} % missing", seed, of.features, of.depth, missing));
    if (::testing::Test::HasFatalFailure()) {
      return;
    }
  }
}

// -- every kernel is the plain walk --------------------------------------------

TEST(forest_kernel, sums_are_those_of_the_plain_walk_at_every_depth) {
  for (unsigned depth = 0; depth <= 16; ++depth) {
    for (const auto features : std::vector<std::size_t>{1, 3, 8, 11}) {
      shape of;
      of.features = features;
      of.depth = depth;
      of.leaf_share = depth > 12 ? 12 : depth % 3 * 5;
      of.trees = depth > 12 ? 3 : 9;
      expect_plain_sums(static_cast<std::uint32_t>(100 * depth + features), of);
      ASSERT_FALSE(HasFatalFailure());
    }
  }
}

TEST(forest_kernel, sums_are_those_of_the_plain_walk_for_many_features) {
  for (const auto features :
       std::vector<std::size_t>{2, 4, 9, 16, 17, 32, 33, 64, 65, 128, 129, 300, 512, 1024, 1025}) {
    shape of;
    of.features = features;
    of.leaf_share = features % 2 == 0 ? 0 : 10;
    of.trees = 3;
    of.thresholds = 20;
    expect_plain_sums(static_cast<std::uint32_t>(features), of);
    ASSERT_FALSE(HasFatalFailure());
  }
}

TEST(forest_kernel, every_tree_ends_at_the_leaf_of_the_plain_walk) {
  for (unsigned depth = 1; depth <= 14; ++depth) {
    shape of;
    of.depth = depth;
    of.trees = 1;
    of.numbered = true;
    of.features = depth % 2 == 0 ? 8 : 20;
    of.leaf_share = depth < 11 ? 0 : 5;
    expect_plain_sums(depth, of);
    ASSERT_FALSE(HasFatalFailure());
  }
}

TEST(forest_kernel, leaves_may_have_many_values) {
  for (const auto width : std::vector<std::size_t>{2, 3, 10, 1024}) {
    shape of;
    of.leaf_width = width;
    of.depth = width == 3 ? 13 : 5;
    of.trees = 4;
    of.leaf_share = 10;
    expect_plain_sums(static_cast<std::uint32_t>(width), of);
    ASSERT_FALSE(HasFatalFailure());
  }
}

TEST(forest_kernel, trees_of_one_forest_may_have_any_depth) {
  shape of;
  of.leaf_share = 35;
  of.depth = 20;
  of.trees = 60;
  for (std::uint32_t seed = 0; seed < 5; ++seed) {
    of.features = seed % 2 == 0 ? 8 : 70;
    expect_plain_sums(seed, of);
    ASSERT_FALSE(HasFatalFailure());
  }
}

/// A complete tree whose inner nodes ask feature 0 for each of so many thresholds.
forest forest_of_thresholds(std::size_t count) {
  forest made;
  made.features = 2;
  tree_nodes nodes(1);
  for (std::size_t i = 0; i < count; ++i) {
    const auto left = static_cast<std::uint32_t>(nodes.size());
    nodes[i] = {left, left + 1, 0, i % 3 == 0, static_cast<float>(i * 37 % count) - 100};
    nodes.resize(nodes.size() + 2);
  }
  for (std::size_t i = count; i < nodes.size(); ++i) {
    nodes[i].number = static_cast<float>(i);
  }
  made.trees.push_back(nodes);
  return made;
}

TEST(forest_kernel, up_to_254_thresholds_of_a_feature_fit_into_bytes) {
  for (const auto count : std::vector<std::size_t>{1, 15, 16, 17, 253, 254, 255, 256, 321}) {
    const auto from = forest_of_thresholds(count);
    expect_plain_sums(from, random_rows(1, from, 300, 0), fmt::format("{} thresholds", count));
    expect_plain_sums(from, random_rows(1, from, 300, 10), fmt::format("{} thresholds, missing", count));
    const auto in_bytes = make_byte_kernel(from, supported_instructions(), "");
    if (supported_instructions() == instruction_set::portable) {
      continue;
    }
    EXPECT_EQ(static_cast<bool>(in_bytes), count <= 254) << count;
    if (count > 254) {
      EXPECT_EQ(in_bytes.error().text(), fmt::format("{} thresholds for feature 0, more than 254", count));
    }
  }
}

TEST(forest_kernel, neither_infinity_nor_the_sign_of_zero_takes_the_place_of_a_threshold) {
  auto from = forest_of_thresholds(254);
  from.trees.push_back({{1, 2, 0, false, infinity},
                        {3, 4, 0, false, -0.0F},
                        {0, 0, 0, false, 1},
                        {0, 0, 0, false, 2},
                        {0, 0, 0, false, 3}});
  expect_plain_sums(from, random_rows(1, from, 300, 5), "254 thresholds, -0 and infinity");
  EXPECT_EQ(static_cast<bool>(make_byte_kernel(from, supported_instructions(), "")),
            supported_instructions() != instruction_set::portable);
}

TEST(forest_kernel, a_threshold_of_infinity_sends_every_number_left) {
  for (bool missing_left : {false, true}) {
    forest from;
    from.features = 1;
    from.trees = {{{1, 2, 0, missing_left, infinity}, {0, 0, 0, false, 1}, {0, 0, 0, false, 2}}};
    std::vector<float> rows(70, infinity);
    rows[0] = -infinity;
    rows[66] = 0;
    expect_plain_sums(from, rows, "numbers");
    rows[3] = nan;
    rows[67] = nan;
    expect_plain_sums(from, rows, "missing");
  }
}

// -- shapes --------------------------------------------------------------------

TEST(forest_kernel, full_shallow_trees_become_heaps) {
  shape of;
  of.leaf_share = 0;
  EXPECT_NE(make_heap_kernel(random_forest(1, of), ""), nullptr);
}

/// A tree of one inner node per level: row x ends at the leaf of value x rounded up, at most `levels` − 1.
forest chain_of(std::uint32_t levels) {
  forest chain;
  chain.features = 1;
  tree_nodes nodes(1);
  for (std::uint32_t level = 0; level < levels; ++level) {
    const auto left = static_cast<std::uint32_t>(nodes.size());
    nodes[level == 0 ? 0 : left - 1] = {left, left + 1, 0, false, static_cast<float>(level % 250)};
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
    EXPECT_EQ(make_heap_kernel(chain, ""), nullptr);
    for (const auto& kernel : kernels_of(chain)) {
      EXPECT_LT(kernel->memory(), 5000 + 40 * levels) << kernel->description().name;
      float sum = 0;
      const float row = 5;
      kernel->sum_leaves(&row, 1, &sum);
      EXPECT_EQ(sum, 5);
    }
    expect_plain_sums(chain, random_rows(1, chain, 100, 5), "chain");
  }
}

TEST(forest_kernel, memory_follows_the_nodes) {
  forest roots;
  roots.features = 3;
  roots.trees.assign(100'000, tree_nodes(1));
  for (const auto& kernel : kernels_of(roots)) {
    EXPECT_LT(kernel->memory(), 300 * roots.trees.size()) << kernel->description().name;
  }
  auto chains = chain_of(11);
  chains.trees.assign(1000, chains.trees[0]);
  for (const auto& kernel : kernels_of(chains)) {
    EXPECT_LT(kernel->memory(), 64 * 6 * 23 * chains.trees.size()) << kernel->description().name;
  }
}

TEST(forest_kernel, a_hundred_trees_of_depth_ten_stay_below_a_megabyte) {
  shape of;
  of.trees = 100;
  of.thresholds = 254;
  of.leaf_share = 0;
  for (const auto& kernel : kernels_of(random_forest(1, of))) {
    if (kernel->description().name.starts_with("avx")) {
      EXPECT_LT(kernel->memory(), 1'000'000U) << kernel->description().name;
    }
  }
}

TEST(forest_kernel, a_forest_of_roots_is_a_constant) {
  forest roots;
  roots.features = 2;
  roots.trees.assign(3, tree_nodes(1));
  roots.trees[1][0].number = 1.5F;
  ASSERT_NE(make_heap_kernel(roots, ""), nullptr);
  for (const auto& kernel : kernels_of(roots)) {
    const std::vector<float> rows(20 * 2, nan);
    std::vector<float> out(20);
    kernel->sum_leaves(rows.data(), 20, out.data());
    EXPECT_EQ(out, std::vector<float>(20, 1.5));
  }
}

// -- the choice, and why ---------------------------------------------------------

TEST(forest_kernel, the_fastest_that_the_processor_and_the_shape_allow_is_chosen) {
  shape of;
  of.leaf_share = 0;
  const auto from = random_forest(1, of);
  for (auto set : {instruction_set::avx512_vbmi, instruction_set::avx512, instruction_set::avx2}) {
    const auto used = std::min(set, supported_instructions());
    const auto name = used == instruction_set::portable ? "heap" : name_of(used);
    EXPECT_EQ(make_forest_kernel(from, set)->description().name, name);
  }
  const auto portable = make_forest_kernel(from, instruction_set::portable)->description();
  EXPECT_EQ(portable.name, "heap");
  EXPECT_TRUE(portable.reason.starts_with("depth 10")) << portable.reason;
}

TEST(forest_kernel, the_description_says_why_it_is_not_faster) {
  const auto reason = [](const forest& from) {
    return make_forest_kernel(from, supported_instructions())->description().reason;
  };
  if (supported_instructions() == instruction_set::portable) {
    GTEST_SKIP() << "needs AVX2";
  }
  EXPECT_NE(reason(forest_of_thresholds(321)).find("321 thresholds for feature 0, more than 254"), std::string::npos);
  EXPECT_NE(reason(chain_of(23)).find("depth 23"), std::string::npos) << reason(chain_of(23));
  EXPECT_NE(reason(chain_of(23)).find("by links"), std::string::npos) << reason(chain_of(23));
  shape many;
  many.features = 2000;
  EXPECT_NE(reason(random_forest(1, many)).find("2000 features, more than 1024"), std::string::npos);
  const auto lowered = make_forest_kernel(forest_of_thresholds(3), instruction_set::portable)->description().reason;
  EXPECT_NE(lowered.find("PENSTOCK_INSTRUCTION_SET"), std::string::npos) << lowered;
}

} // namespace
} // namespace penstock::ml
