// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ml/forest/forest.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

/// Forests of random shape and rows that try their thresholds, for tests of kernels.
namespace penstock::ml::testing {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

struct shape {
  std::size_t features = 8;
  unsigned depth = 10;
  unsigned leaf_share = 5; ///< percent of the nodes above the last level that are leaves
  std::size_t trees = 5;
  std::size_t leaf_width = 1;
  std::size_t thresholds = 40; ///< distinct ones of a feature, at most
  bool numbered = false;       ///< leaves of width 1 have their own number in their tree as value
};

/// Distinct thresholds, among them zeros of both signs, denormals and numbers next to each other.
inline std::vector<float> some_thresholds(std::mt19937& random, std::size_t count) {
  std::vector<float> all{0.0F, std::numeric_limits<float>::denorm_min(), -std::numeric_limits<float>::denorm_min(),
                         1e30F};
  while (all.size() < count) {
    const auto x = static_cast<float>(random() % 100000) / 512 - 90;
    all.push_back(x);
    all.push_back(std::nextafter(x, infinity));
  }
  std::shuffle(all.begin(), all.end(), random);
  all.resize(count);
  return all;
}

inline tree_nodes random_tree(std::mt19937& random, const shape& of, const std::vector<std::vector<float>>& thresholds,
                              std::vector<float>& values) {
  tree_nodes nodes(1);
  std::vector<unsigned> level{0};
  for (std::uint32_t i = 0; i < nodes.size(); ++i) {
    if (level[i] == of.depth || random() % 100 < of.leaf_share) {
      nodes[i].number = of.numbered ? static_cast<float>(i) : static_cast<float>(random() % 2000) / 977.0F - 1;
      if (of.leaf_width > 1) {
        nodes[i].right = static_cast<std::uint32_t>(values.size() / of.leaf_width);
        for (std::size_t value = 0; value < of.leaf_width; ++value) {
          values.push_back(static_cast<float>(random() % 2000) / 977.0F);
        }
      }
      continue;
    }
    const auto left = static_cast<std::uint32_t>(nodes.size());
    const auto feature = static_cast<std::uint16_t>(random() % of.features);
    auto threshold = thresholds[feature][random() % thresholds[feature].size()];
    threshold = threshold == 0 && random() % 2 == 0 ? -threshold : threshold;
    nodes[i] = {left, left + 1, feature, random() % 2 == 0, random() % 20 == 0 ? infinity : threshold};
    nodes.resize(nodes.size() + 2);
    level.insert(level.end(), 2, level[i] + 1);
  }
  return nodes;
}

inline forest random_forest(std::uint32_t seed, const shape& of) {
  std::mt19937 random(seed);
  forest made;
  made.features = of.features;
  made.leaf_width = of.leaf_width;
  std::vector<std::vector<float>> thresholds;
  for (std::size_t feature = 0; feature < of.features; ++feature) {
    thresholds.push_back(some_thresholds(random, of.thresholds));
  }
  for (std::size_t tree = 0; tree < of.trees; ++tree) {
    made.trees.push_back(random_tree(random, of, thresholds, made.values));
  }
  return made;
}

/// count×features: thresholds that nodes of the forest ask for, their neighbours, and what is special in float32.
inline std::vector<float> random_rows(std::uint32_t seed, const forest& of, std::size_t count,
                                      unsigned missing_percent) {
  std::mt19937 random(seed);
  std::vector<std::vector<float>> asked(of.features, {0.0F});
  for (const auto& tree : of.trees) {
    for (const auto& node : tree) {
      if (!node.is_leaf()) {
        asked[node.feature].push_back(node.number);
      }
    }
  }
  constexpr float special[] = {infinity,
                               -infinity,
                               0.0F,
                               -0.0F,
                               std::numeric_limits<float>::denorm_min(),
                               -std::numeric_limits<float>::denorm_min(),
                               std::numeric_limits<float>::max(),
                               std::numeric_limits<float>::lowest()};
  std::vector<float> rows(count * of.features);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& mine = asked[i % of.features];
    rows[i] = mine[random() % mine.size()];
    const auto kind = random() % 10;
    if (kind < 3) {
      rows[i] = std::nextafter(rows[i], kind == 0 ? -infinity : infinity);
    } else if (kind == 3) {
      rows[i] = special[random() % std::size(special)];
    } else if (kind < 6) {
      rows[i] = static_cast<float>(random() % 100000) / 512 - 90;
    }
    rows[i] = random() % 100 < missing_percent ? nan : rows[i];
  }
  return rows;
}

/// What `forest` defines, by walking its nodes: adds the leaves of a row.
inline void plain_sums(const forest& of, const float* row, float* sums) {
  std::fill_n(sums, of.leaf_width, 0.0F);
  for (const auto& tree : of.trees) {
    std::uint32_t at = 0;
    while (!tree[at].is_leaf()) {
      const auto x = row[tree[at].feature];
      const bool left = std::isnan(x) ? tree[at].missing_left : x <= tree[at].number;
      at = left ? tree[at].left : tree[at].right;
    }
    for (std::size_t i = 0; i < of.leaf_width; ++i) {
      sums[i] += of.values_of(tree[at])[i];
    }
  }
}

} // namespace penstock::ml::testing
