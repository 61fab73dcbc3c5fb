// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "ml/forest/byte_walk.hpp"
#include "ml/forest/forest.hpp"

#include <cstdint>
#include <vector>

namespace penstock::ml {

/// A forest in bytes: every threshold is the number of its feature's distinct thresholds below it, so that a node is a
/// byte for the cut and a byte for the feature, and a row is compared in bytes once each of its values is counted in.
///
/// The upper levels of a tree are a complete heap (byte_heap); what lies below the heap's last level are links. For
/// single rows the same heaps once more, cut and feature side by side.
///
/// Memory is linear in the nodes, whatever the shape of the trees. Immutable.
class byte_forest {
public:
  /// Codes of a block of rows stand on the stack.
  static constexpr std::size_t most_features = 1024;

  static constexpr std::size_t small_features = 128;

  /// `errc::failed` says what does not fit.
  static result<byte_forest> make(const forest& from);

  /// A node below a heap. Of a leaf every value goes left, to itself.
  struct link {
    std::uint32_t left; ///< the right child is the next one
    std::uint16_t feature;
    byte_code cut;
    bool missing_left;
  };

  /// A tree. Below its exits stand the bits of a float32, or of wide leaves the row of `values`.
  struct tree {
    std::uint32_t heap;  ///< into the bytes of the lines: cuts and tags
    std::uint32_t lists; ///< into `lists`
    std::uint32_t exits; ///< into `exits`: of a linked tree numbers of links
    std::uint32_t nodes; ///< into the nodes for single rows
    std::uint8_t depth;
    bool linked;
  };

  std::size_t features = 0;
  std::size_t leaf_width = 1;
  bool narrow = false;  ///< at most eight features
  unsigned deepest = 0; ///< levels of the deepest tree
  std::size_t most_thresholds_of_a_feature = 0;
  std::vector<tree> trees;
  struct alignas(64) line {
    std::uint8_t bytes[64];
  };
  std::vector<line> lines; ///< heaps
  std::vector<std::uint16_t> lists;
  std::vector<std::uint32_t> exits;
  std::vector<link> links;
  std::vector<std::uint32_t> link_exits; ///< of links that are leaves: what stands there, as below an exit
  std::vector<float> values;             ///< of wide leaves

  /// For single rows: heaps in the order of byte_heap.
  template <class Index>
  struct node {
    std::uint8_t cut; ///< of 0 … 254, without a sign
    Index index;      ///< the feature; + small_features or most_features when missing goes left
  };
  using small_node = node<std::uint8_t>;
  using large_node = node<std::uint16_t>;
  std::vector<small_node> small_nodes; ///< of up to small_features
  std::vector<large_node> large_nodes; ///< of more

  [[nodiscard]] const std::vector<byte_thresholds>& thresholds() const { return thresholds_; }
  [[nodiscard]] byte_heap heap_of(const tree& of) const;
  [[nodiscard]] std::size_t memory() const;
  [[nodiscard]] std::uint8_t* bytes() { return reinterpret_cast<std::uint8_t*>(lines.data()); }
  [[nodiscard]] const std::uint8_t* bytes() const { return reinterpret_cast<const std::uint8_t*>(lines.data()); }

  byte_forest() = default;
  byte_forest(byte_forest&&) = default;
  byte_forest& operator=(byte_forest&&) = delete;
  ~byte_forest() = default;

private:
  std::vector<float> threshold_values_;
  std::vector<byte_thresholds> thresholds_; ///< into the former
  friend class byte_compiler;
};

} // namespace penstock::ml
