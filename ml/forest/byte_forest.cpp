// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/byte_forest.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

namespace penstock::ml {

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
/// Places of a heap that a node of its tree may cost: what a thin tree has below is linked.
constexpr std::size_t most_places_per_node = 8;

/// The distinct finite thresholds of every feature, and the number of each.
class threshold_numbers {
public:
  explicit threshold_numbers(const forest& from) : of_feature_(from.features) {
    std::size_t nodes = 0;
    for (const auto& tree : from.trees) {
      nodes += tree.size() / 2;
    }
    const auto most = std::min(nodes, (most_thresholds + 1) * from.features);
    entries_.resize(std::bit_ceil(2 * std::max(most, std::size_t{1})));
  }

  /// False when it is one too many for its feature.
  bool add(std::uint16_t feature, float threshold) {
    if (threshold == infinity) {
      return true;
    }
    auto& at = entries_[find(feature, threshold)];
    if (at.feature == feature) {
      return true;
    }
    at = {threshold, feature, 0};
    of_feature_[feature].push_back(threshold);
    return of_feature_[feature].size() <= most_thresholds;
  }

  void number_them() {
    for (std::size_t feature = 0; feature < of_feature_.size(); ++feature) {
      auto& values = of_feature_[feature];
      std::sort(values.begin(), values.end());
      for (std::size_t i = 0; i < values.size(); ++i) {
        entries_[find(static_cast<std::uint16_t>(feature), values[i])].cut =
            static_cast<byte_code>(static_cast<int>(i) - 128);
      }
    }
  }

  [[nodiscard]] byte_code cut(std::uint16_t feature, float threshold) const {
    return threshold == infinity ? everything_left : entries_[find(feature, threshold)].cut;
  }
  [[nodiscard]] const std::vector<float>& of(std::size_t feature) const { return of_feature_[feature]; }

private:
  static constexpr std::uint16_t nobody = 0xFFFF;
  static_assert(forest::max_features < nobody);

  struct entry {
    float threshold = 0;
    std::uint16_t feature = nobody;
    byte_code cut = 0;
  };

  /// Where it is, or would be. -0 is 0: they compare equal.
  [[nodiscard]] std::size_t find(std::uint16_t feature, float threshold) const {
    const std::uint64_t key = std::uint64_t{feature} << 32 | std::bit_cast<std::uint32_t>(threshold + 0.0F);
    auto at = (key * 0x9E3779B97F4A7C15U) >> 32 & (entries_.size() - 1);
    while (entries_[at].feature != nobody && (entries_[at].feature != feature || entries_[at].threshold != threshold)) {
      at = (at + 1) & (entries_.size() - 1);
    }
    return at;
  }

  std::vector<entry> entries_; ///< a hash table, at most half full
  std::vector<std::vector<float>> of_feature_;
};

/// Numbers of six bits from the highest bit of a byte on, the lowest first.
constexpr auto turned_bits = [] {
  std::array<std::uint8_t, 64> turned{};
  for (unsigned number = 0; number < turned.size(); ++number) {
    for (unsigned bit = 0; bit < 6; ++bit) {
      turned[number] = static_cast<std::uint8_t>(turned[number] | (number >> bit & 1) << (7 - bit));
    }
  }
  return turned;
}();
static_assert(turned_bits.size() == widest_level);

std::size_t distinct_thresholds(const forest& from, std::uint16_t feature) {
  std::vector<float> all;
  for (const auto& tree : from.trees) {
    for (const auto& node : tree) {
      if (!node.is_leaf() && node.feature == feature && node.number != infinity) {
        all.push_back(node.number);
      }
    }
  }
  std::sort(all.begin(), all.end());
  return static_cast<std::size_t>(std::unique(all.begin(), all.end()) - all.begin());
}

} // namespace

class byte_compiler {
public:
  byte_compiler(const forest& from, const threshold_numbers& numbers, byte_forest& into)
      : from_(from), numbers_(numbers), into_(into), slots_(from.features, {0, 0}) {}

  void add_thresholds() {
    std::size_t places = 32;
    for (std::size_t feature = 0; feature < from_.features; ++feature) {
      const auto count = numbers_.of(feature).size();
      places += count == 0 ? 0 : 16 + count / 16 * 16 + 16;
    }
    into_.threshold_values_.assign(places, infinity);
    auto* at = into_.threshold_values_.data();
    const byte_thresholds none{at, at + 16}; // of features that nobody asks for
    at += 32;
    for (std::size_t feature = 0; feature < from_.features; ++feature) {
      const auto& values = numbers_.of(feature);
      if (values.empty()) {
        into_.thresholds_.push_back(none);
        continue;
      }
      into_.thresholds_.push_back({at, at + 16});
      for (std::size_t i = 15; i < values.size(); i += 16) {
        at[i / 16] = values[i];
      }
      at = std::copy(values.begin(), values.end(), at + 16) + static_cast<std::ptrdiff_t>(16 - values.size() % 16);
      into_.most_thresholds_of_a_feature = std::max(into_.most_thresholds_of_a_feature, values.size());
    }
  }

  void add_trees() {
    std::vector<shape> shapes;
    std::size_t places = 0;
    for (const auto& tree : from_.trees) {
      shapes.push_back(shape_of(tree));
      places += std::size_t{1} << shapes.back().depth;
      into_.deepest = std::max(into_.deepest, shapes.back().levels);
    }
    reserve(places);
    into_.trees.reserve(from_.trees.size());
    for (std::size_t t = 0; t < shapes.size(); ++t) {
      auto [levels, depth] = shapes[t];
      while (!add(from_.trees[t], depth, levels)) {
        --depth; // its last level has too many features
      }
    }
  }

private:
  struct shape {
    unsigned levels; ///< of the tree
    unsigned depth;  ///< of its heap, at most
  };
  struct step {
    std::uint32_t node;
    std::uint32_t path;
  };
  struct slot {
    std::uint32_t level; ///< the last level that had the feature in its list, counted over all trees
    std::uint32_t number;
  };

  static shape shape_of(const tree_nodes& nodes) {
    const auto levels = depth_of(nodes);
    auto depth = std::clamp(levels, top_levels, deepest_byte_heap);
    while (depth > top_levels && (std::size_t{1} << depth) > most_places_per_node * nodes.size()) {
      --depth;
    }
    return {levels, depth};
  }

  static std::size_t lines_of(std::size_t bytes) {
    return (bytes + heap_padding + sizeof(byte_forest::line) - 1) / sizeof(byte_forest::line);
  }

  /// So that what heaps of so many places take need not move while it grows.
  void reserve(std::size_t places) {
    into_.lines.reserve(lines_of(2 * places));
    into_.exits.reserve(places);
    with_nodes([places](auto& nodes) { nodes.reserve(places); });
  }

  /// Calls `work` with the nodes for single rows in the form that this forest has them.
  template <class Work>
  void with_nodes(Work work) {
    if (from_.features <= byte_forest::small_features) {
      work(into_.small_nodes);
    } else {
      work(into_.large_nodes);
    }
  }

  void resize(std::size_t bytes) {
    size_ = bytes;
    into_.lines.resize(lines_of(bytes));
  }

  bool add(const tree_nodes& nodes, unsigned depth, unsigned levels) {
    const auto places = std::size_t{1} << depth;
    begin(depth, depth < levels);
    level_.assign(1, {0, 0});
    for (unsigned level = 0; level <= depth; ++level) {
      if (level >= top_levels && level < depth && !begin_list(nodes)) {
        rewind();
        return false;
      }
      next_.clear();
      for (const auto& at : level_) {
        const auto& node = nodes[at.node];
        if (level == depth || node.is_leaf()) {
          const auto exit = level == depth && !node.is_leaf() ? add_links(nodes, at.node) : exit_of(node);
          for (std::size_t path = at.path; path < places; path += std::size_t{1} << level) {
            into_.exits[tree_.exits + path] = exit;
          }
          continue;
        }
        set_node(level, at.path, node);
        next_.push_back({node.left, at.path});
        next_.push_back({node.right, at.path | 1U << level});
      }
      std::swap(level_, next_);
    }
    return true;
  }

  void begin(unsigned depth, bool linked) {
    const auto places = std::size_t{1} << depth;
    tree_ = {static_cast<std::uint32_t>(size_),
             static_cast<std::uint32_t>(into_.lists.size()),
             static_cast<std::uint32_t>(into_.exits.size()),
             static_cast<std::uint32_t>(into_.small_nodes.size() + into_.large_nodes.size()),
             static_cast<std::uint8_t>(depth),
             linked};
    links_before_ = into_.links.size();
    into_.trees.push_back(tree_);
    // Slots without a node: whichever way a row goes there, the exits below are the same.
    resize(size_ + 2 * places);
    into_.exits.resize(into_.exits.size() + places);
    into_.lists.resize(into_.lists.size() + (std::size_t{1} << top_levels));
    with_nodes([places](auto& nodes) { nodes.resize(nodes.size() + places); });
  }

  void rewind() {
    into_.trees.pop_back();
    resize(tree_.heap);
    into_.exits.resize(tree_.exits);
    into_.lists.resize(tree_.lists);
    into_.links.resize(links_before_);
    into_.link_exits.resize(links_before_);
    with_nodes([this](auto& nodes) { nodes.resize(tree_.nodes); });
  }

  /// The list of a level's features. With eight in all it is always the same. False when it is too long.
  bool begin_list(const tree_nodes& nodes) {
    auto& lists = into_.lists;
    const auto begin = lists.size();
    lists.push_back(0);
    ++level_number_;
    if (into_.narrow) {
      for (std::uint16_t feature = 0; feature < from_.features; ++feature) {
        slots_[feature] = {level_number_, feature};
        lists.push_back(feature);
      }
    } else {
      for (const auto& at : level_) {
        const auto& node = nodes[at.node];
        if (!node.is_leaf() && slots_[node.feature].level != level_number_) {
          slots_[node.feature] = {level_number_, static_cast<std::uint32_t>(lists.size() - begin - 1)};
          lists.push_back(node.feature);
        }
      }
    }
    const auto width = std::max(std::size_t{8}, std::bit_ceil(lists.size() - begin - 1));
    lists.resize(begin + 1 + width);
    lists[begin] = static_cast<std::uint16_t>(width);
    return width <= widest_level;
  }

  void set_node(unsigned level, std::uint32_t path, const tree_node& node) {
    const auto cut = numbers_.cut(node.feature, node.number);
    const auto place = (std::size_t{1} << level) + path;
    auto* bytes = into_.bytes() + tree_.heap;
    bytes[place] = static_cast<std::uint8_t>(cut);
    auto& tag = bytes[(std::size_t{1} << tree_.depth) + place];
    tag = node.missing_left ? 1 : 0;
    if (level < top_levels) {
      into_.lists[tree_.lists + place] = node.feature;
    } else {
      tag |= turned_bits[slots_[node.feature].number];
    }
    if (from_.features <= byte_forest::small_features) {
      add_node(into_.small_nodes[tree_.nodes + place], node, cut, byte_forest::small_features);
    } else {
      add_node(into_.large_nodes[tree_.nodes + place], node, cut, byte_forest::most_features);
    }
  }

  template <class Index>
  static void add_node(byte_forest::node<Index>& to, const tree_node& node, byte_code cut, std::size_t missing_left) {
    to.cut = static_cast<std::uint8_t>(cut + 128);
    to.index = static_cast<Index>(node.feature + (node.missing_left ? missing_left : 0));
  }

  /// What stands at an exit that is a leaf: itself, or in a linked tree the number of a link that is it.
  std::uint32_t exit_of(const tree_node& leaf) {
    const auto value = from_.leaf_width == 1 ? std::bit_cast<std::uint32_t>(leaf.number) : leaf.right;
    if (!tree_.linked) {
      return value;
    }
    const auto at = static_cast<std::uint32_t>(into_.links.size());
    into_.links.push_back({at, 0, everything_left, true});
    into_.link_exits.push_back(value);
    return at;
  }

  std::uint32_t add_links(const tree_nodes& nodes, std::uint32_t root) {
    const auto first = static_cast<std::uint32_t>(into_.links.size());
    into_.links.emplace_back();
    into_.link_exits.emplace_back();
    pending_.assign(1, {root, first});
    for (std::size_t next = 0; next < pending_.size(); ++next) {
      const auto [from, at] = pending_[next];
      const auto& node = nodes[from];
      if (node.is_leaf()) {
        into_.links[at] = {at, 0, everything_left, true};
        into_.link_exits[at] = from_.leaf_width == 1 ? std::bit_cast<std::uint32_t>(node.number) : node.right;
        continue;
      }
      const auto left = static_cast<std::uint32_t>(into_.links.size());
      into_.links[at] = {left, node.feature, numbers_.cut(node.feature, node.number), node.missing_left};
      into_.links.resize(into_.links.size() + 2);
      into_.link_exits.resize(into_.links.size());
      pending_.push_back({node.left, left});
      pending_.push_back({node.right, left + 1});
    }
    return first;
  }

  const forest& from_;
  const threshold_numbers& numbers_;
  byte_forest& into_;
  byte_forest::tree tree_{};
  std::size_t size_ = 0; ///< bytes of heaps so far
  std::size_t links_before_ = 0;
  std::vector<step> level_, next_, pending_;
  std::vector<slot> slots_;
  std::uint32_t level_number_ = 0;
};

result<byte_forest> byte_forest::make(const forest& from) {
  if (from.features > most_features) {
    return fail(errc::failed, "{} features, more than {}", from.features, most_features);
  }
  threshold_numbers numbers(from);
  std::size_t nodes = 0;
  for (const auto& tree : from.trees) {
    nodes += tree.size();
    for (const auto& node : tree) {
      if (!node.is_leaf() && !numbers.add(node.feature, node.number)) {
        return fail(errc::failed, "{} thresholds for feature {}, more than {}", distinct_thresholds(from, node.feature),
                    node.feature, most_thresholds);
      }
    }
  }
  if (nodes > std::numeric_limits<std::uint32_t>::max() / (4 * most_places_per_node)) {
    return fail(errc::failed, "{} nodes, more than its numbers can tell", nodes);
  }
  numbers.number_them();
  byte_forest made;
  made.features = from.features;
  made.leaf_width = from.leaf_width;
  made.narrow = from.features <= 8;
  made.values = from.values;
  byte_compiler compiler(from, numbers, made);
  compiler.add_thresholds();
  compiler.add_trees();
  made.small_nodes.shrink_to_fit();
  made.lists.shrink_to_fit();
  made.lines.shrink_to_fit();
  made.exits.shrink_to_fit();
  made.links.shrink_to_fit();
  made.link_exits.shrink_to_fit();
  made.large_nodes.shrink_to_fit();
  return made;
}

byte_heap byte_forest::heap_of(const tree& of) const {
  const auto places = std::size_t{1} << of.depth;
  const auto* heap = bytes() + of.heap;
  return {of.depth,
          narrow,
          reinterpret_cast<const byte_code*>(heap),
          heap + places,
          lists.data() + of.lists,
          exits.data() + of.exits};
}

std::size_t byte_forest::memory() const {
  return trees.size() * sizeof(tree) + lines.size() * sizeof(line) + lists.size() * 2 + exits.size() * 4 +
         links.size() * sizeof(link) + link_exits.size() * 4 + values.size() * sizeof(float) +
         small_nodes.size() * sizeof(small_node) + large_nodes.size() * sizeof(large_node) +
         threshold_values_.size() * sizeof(float) + thresholds_.size() * sizeof(byte_thresholds);
}

} // namespace penstock::ml
