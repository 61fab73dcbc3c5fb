// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/forest.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace penstock::ml {

namespace {

// A node is a tag and a number, a leaf a tag and its values: the tag is `leaf_tag`, or the feature with the top bit set
// when missing goes left.
constexpr std::uint16_t leaf_tag = 0xFFFF;
constexpr std::uint16_t missing_left_bit = 0x8000;
constexpr std::size_t least_node_size = sizeof(std::uint16_t) + sizeof(float);
static_assert(forest::max_features <= missing_left_bit - 1, "the tag of a leaf must not be a feature's");

result<tree_node> decode_leaf(byte_reader& from, forest& into) {
  tree_node leaf;
  if (from.rest().size() < into.leaf_width * sizeof(float)) {
    return fail(errc::invalid, "the bytes end within a leaf");
  }
  if (into.leaf_width > 1) {
    leaf.right = static_cast<std::uint32_t>(into.values.size() / into.leaf_width);
  }
  for (std::size_t i = 0; i < into.leaf_width; ++i) {
    const auto value = from.number<float>();
    if (!std::isfinite(value)) {
      return fail(errc::invalid, "a leaf's value is not finite");
    }
    if (into.leaf_width == 1) {
      leaf.number = value;
    } else {
      into.values.push_back(value);
    }
  }
  return leaf;
}

result<tree_node> decode_node(byte_reader& from, forest& into) {
  const auto tag = from.number<std::uint16_t>();
  if (tag == leaf_tag) {
    return decode_leaf(from, into);
  }
  tree_node node;
  node.number = from.number<float>();
  const auto features = into.features;
  node.feature = tag & static_cast<std::uint16_t>(~missing_left_bit);
  node.missing_left = (tag & missing_left_bit) != 0;
  node.left = std::numeric_limits<std::uint32_t>::max(); // an inner node; the child is linked when it is read
  if (node.feature >= features) {
    return fail(errc::invalid, "a node tests feature {} of {}", node.feature, features);
  }
  if (std::isnan(node.number) || node.number == -std::numeric_limits<float>::infinity()) {
    return fail(errc::invalid, "a threshold is no number");
  }
  return node;
}

result<tree_nodes> decode_tree(byte_reader& from, forest& into) {
  const std::size_t count = from.number<std::uint32_t>();
  if (!from.ok() || count == 0 || count > from.rest().size() / least_node_size) {
    return fail(errc::invalid, "a tree announces {} nodes, which the bytes do not hold", count);
  }
  tree_nodes tree;
  tree.reserve(count);
  std::vector<std::uint32_t> waiting_for_right;
  while (tree.size() < count) {
    auto node = decode_node(from, into);
    if (!node) {
      return node.error();
    }
    const auto index = static_cast<std::uint32_t>(tree.size());
    if (!node->is_leaf()) {
      node->left = index + 1;
      waiting_for_right.push_back(index);
    }
    tree.push_back(*node);
    if (tree.back().is_leaf() && tree.size() < count) {
      if (waiting_for_right.empty()) {
        return fail(errc::invalid, "a tree has nodes behind its last leaf");
      }
      tree[waiting_for_right.back()].right = index + 1;
      waiting_for_right.pop_back();
    }
  }
  if (!waiting_for_right.empty() || !tree.back().is_leaf()) {
    return fail(errc::invalid, "a tree ends before its last leaf");
  }
  return tree;
}

} // namespace

unsigned depth_of(const tree_nodes& tree) {
  std::vector<std::uint32_t> depth(tree.size(), 0);
  std::uint32_t deepest = 0;
  for (std::size_t i = 0; i < tree.size(); ++i) {
    deepest = std::max(deepest, depth[i]);
    if (!tree[i].is_leaf()) {
      depth[tree[i].left] = depth[i] + 1;
      depth[tree[i].right] = depth[i] + 1;
    }
  }
  return deepest;
}

std::string encode_tree(const tree_nodes& tree, const float* values, std::size_t leaf_width) {
  const bool wide = leaf_width > 1;
  const auto count = static_cast<std::uint32_t>(tree.size());
  const auto more_values = (leaf_width - 1) * sizeof(float);
  std::string bytes(sizeof(count) + tree.size() * least_node_size + (tree.size() / 2 + 1) * more_values, 0);
  auto* to = bytes.data();
  std::memcpy(to, &count, sizeof(count));
  to += sizeof(count);
  std::vector<std::uint32_t> pending(tree.size() / 2 + 3); // the root's 0 behind one place, and one place behind all
  auto* next = pending.data() + 1;
  for (std::size_t i = 0; i < tree.size(); ++i) {
    const auto& node = tree[*next];
    const auto inner = static_cast<std::uint16_t>(node.feature | (node.missing_left ? missing_left_bit : 0));
    const auto tag = node.is_leaf() ? leaf_tag : inner;
    const auto* of_leaf = wide && node.is_leaf() ? values + node.right * leaf_width : &node.number;
    std::memcpy(to, &tag, sizeof(tag));
    std::memcpy(to + sizeof(tag), of_leaf, sizeof(float));
    to += least_node_size;
    if (wide && node.is_leaf()) {
      std::memcpy(to, of_leaf + 1, more_values);
      to += more_values;
    }
    // Without a branch, which would be foretold badly: nobody looks at what a leaf leaves here.
    next[0] = node.right;
    next[1] = node.left;
    next += node.is_leaf() ? -1 : 1;
  }
  return bytes;
}

void encode_head(const forest& forest, byte_writer& to) {
  to.number(static_cast<std::uint32_t>(forest.features));
  to.number(static_cast<std::uint32_t>(forest.trees.size()));
  to.number(forest.offset);
  to.number(forest.scale);
}

result<forest> decode_forest(std::string_view bytes, std::size_t leaf_width) {
  byte_reader reader(bytes);
  forest forest;
  forest.leaf_width = leaf_width;
  forest.features = reader.number<std::uint32_t>();
  const std::size_t trees = reader.number<std::uint32_t>();
  forest.offset = reader.number<double>();
  forest.scale = reader.number<double>();
  if (!reader.ok() || forest.features == 0 || forest.features > forest::max_features) {
    return fail(errc::invalid, "forest: {} features, allowed are 1 to {}", forest.features, forest::max_features);
  }
  if (!std::isfinite(forest.offset) || !std::isfinite(forest.scale) || forest.scale <= 0) {
    return fail(errc::invalid, "forest: its offset or scale is no number");
  }
  if (trees == 0 || trees > reader.rest().size() / (sizeof(std::uint32_t) + least_node_size)) {
    return fail(errc::invalid, "forest: announces {} trees, which the bytes do not hold", trees);
  }
  forest.trees.reserve(trees);
  for (std::size_t t = 0; t < trees; ++t) {
    auto tree = decode_tree(reader, forest);
    if (!tree) {
      return tree.error().in(fmt::format("forest: tree {}", t));
    }
    forest.trees.push_back(*std::move(tree));
  }
  if (!reader.at_end()) {
    return fail(errc::invalid, "forest: {} bytes too many", reader.rest().size());
  }
  return forest;
}

} // namespace penstock::ml
