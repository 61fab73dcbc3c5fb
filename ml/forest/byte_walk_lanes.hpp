// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ml/forest/byte_lanes.hpp"
#include "ml/forest/byte_walk.hpp"

#include <cstddef>
#include <cstdint>

/// The walk of byte_walk.hpp, written once for any registers `V` of byte_lanes.hpp. As that page, it is for the files
/// of instruction sets alone.
namespace penstock::ml {

namespace {

/// Levels 0 to 3, where every node has a register of its own feature.
template <class V, bool Missing>
void walk_top(const byte_heap& heap, const byte_tile& tile) {
  const auto* cuts = reinterpret_cast<const std::uint8_t*>(heap.cuts);
  const auto root_cut = V::fill(heap.cuts[1]);
  const auto left_cut = V::fill(heap.cuts[2]);
  const auto right_cut = V::fill(heap.cuts[3]);
  const auto root_tag = V::fill(static_cast<byte_code>(heap.tags[1]));
  const auto cuts2 = load_table<V, 1>(cuts + 4);
  const auto cuts3 = load_table<V, 1>(cuts + 8);
  const auto tags1 = load_table<V, 1>(heap.tags + 2);
  const auto tags2 = load_table<V, 1>(heap.tags + 4);
  const auto tags3 = load_table<V, 1>(heap.tags + 8);
  const auto step = tile.features * V::lanes;
  const auto* codes = tile.codes;
  for (std::size_t block = 0; block < tile.blocks; ++block, codes += step) {
    place<V> at;
    at.bits[0] = goes_right<V, Missing>(load_features<V, 1>(codes, heap.lists + 1).only, root_cut, root_tag);
    at.low = V::template set_bit<0>(V::fill(0), at.bits[0]);

    auto tags = Missing ? look_up<V, 1>(tags1, at) : root_tag;
    auto mine = select<V>(load_features<V, 2>(codes, heap.lists + 2), at.bits);
    at.bits[1] = goes_right<V, Missing>(mine, V::pick(at.bits[0], left_cut, right_cut), tags);
    at.low = V::template set_bit<1>(at.low, at.bits[1]);

    tags = Missing ? look_up<V, 2>(tags2, at) : root_tag;
    mine = select<V>(load_features<V, 4>(codes, heap.lists + 4), at.bits);
    at.bits[2] = goes_right<V, Missing>(mine, look_up<V, 2>(cuts2, at), tags);
    at.low = V::template set_bit<2>(at.low, at.bits[2]);

    tags = Missing ? look_up<V, 3>(tags3, at) : root_tag;
    mine = select<V>(load_features<V, 8>(codes, heap.lists + 8), at.bits);
    at.bits[3] = goes_right<V, Missing>(mine, look_up<V, 3>(cuts3, at), tags);
    V::store(tile.low + block * V::lanes, V::template set_bit<3>(at.low, at.bits[3]));
  }
}

/// The tables of consecutive levels.
template <class V, unsigned First, unsigned Last>
struct level_tables {
  pack<V, parts<V>(First)> cuts, tags;
  level_tables<V, First + 1, Last> next;
};
template <class V, unsigned Last>
struct level_tables<V, Last, Last> {};

template <class V, unsigned First, unsigned Last>
PENSTOCK_LANES level_tables<V, First, Last> load_tables([[maybe_unused]] const byte_heap& heap) {
  if constexpr (First == Last) {
    return {};
  } else {
    constexpr unsigned level = std::size_t{1} << First;
    return {load_table<V, parts<V>(First)>(reinterpret_cast<const std::uint8_t*>(heap.cuts + level)),
            load_table<V, parts<V>(First)>(heap.tags + level), load_tables<V, First + 1, Last>(heap)};
  }
}

template <class V, unsigned First, unsigned Last, bool Missing, unsigned Width>
PENSTOCK_LANES void go_down(const level_tables<V, First, Last>& tables, const pack<V, Width>& features,
                            [[maybe_unused]] place<V> at, [[maybe_unused]] typename V::bytes& low,
                            [[maybe_unused]] typename V::bytes& high) {
  if constexpr (First < Last) {
    const auto tags = look_up<V, First>(tables.tags, at);
    const auto mine = select_by_tag<V>(features, tags);
    at.bits[First] = goes_right<V, Missing>(mine, look_up<V, First>(tables.cuts, at), tags);
    if constexpr (First < 8) {
      low = V::template set_bit<First>(low, at.bits[First]);
      at.low = V::index(low);
    } else {
      high = V::template set_bit<First - 8>(high, at.bits[First]);
    }
    go_down<V, First + 1, Last, Missing, Width>(tables.next, features, at, low, high);
  }
}

/// Levels First to Last − 1, which share a list of Width features.
template <class V, unsigned First, unsigned Last, bool Missing, unsigned Width>
void walk_levels(const byte_heap& heap, const std::uint16_t* list, const byte_tile& tile) {
  const auto tables = load_tables<V, First, Last>(heap);
  const auto step = tile.features * V::lanes;
  const auto* codes = tile.codes;
  for (std::size_t block = 0; block < tile.blocks; ++block, codes += step) {
    auto low = V::load(tile.low + block * V::lanes);
    auto high = V::fill(0);
    if constexpr (First > 8) {
      high = V::load(tile.high + block * V::lanes);
    }
    const auto features = load_features<V, Width>(codes, list);
    go_down<V, First, Last, Missing, Width>(tables, features, place_of<V, First>(low, high), low, high);
    if constexpr (First < 8) {
      V::store(tile.low + block * V::lanes, low);
    }
    if constexpr (Last > 8) {
      V::store(tile.high + block * V::lanes, high);
    }
  }
}

template <class V, unsigned Level, bool Missing>
void walk_level(const byte_heap& heap, const std::uint16_t* list, unsigned width, const byte_tile& tile) {
  if (width == 8) {
    walk_levels<V, Level, Level + 1, Missing, 8>(heap, list, tile);
  } else if (width == 16) {
    walk_levels<V, Level, Level + 1, Missing, 16>(heap, list, tile);
  } else if constexpr (Level > 4) {
    if (width == 32) {
      walk_levels<V, Level, Level + 1, Missing, 32>(heap, list, tile);
    } else if constexpr (Level > 5) {
      walk_levels<V, Level, Level + 1, Missing, 64>(heap, list, tile);
    }
  }
}

template <class V, unsigned Level, bool Missing>
void walk_rest(const byte_heap& heap, const std::uint16_t* lists, const byte_tile& tile) {
  if constexpr (Level < deepest_byte_heap) {
    if (Level < heap.depth) {
      const unsigned width = *lists;
      walk_level<V, Level, Missing>(heap, lists + 1, width, tile);
      walk_rest<V, Level + 1, Missing>(heap, lists + 1 + width, tile);
    }
  }
}

/// All levels from 4 on, where they have the same eight features: several levels at once.
template <class V, bool Missing>
void walk_narrow(const byte_heap* heaps, const byte_tile* tiles, std::size_t trees) {
  const auto list = [](const byte_heap& heap) { return heap.lists + (1U << top_levels) + 1; };
  for (std::size_t i = 0; i < trees; ++i) {
    walk_levels<V, 4, 7, Missing, 8>(heaps[i], list(heaps[i]), tiles[i]);
  }
  for (std::size_t i = 0; i < trees; ++i) {
    if (heaps[i].depth == 8) {
      walk_levels<V, 7, 8, Missing, 8>(heaps[i], list(heaps[i]), tiles[i]);
    } else if (heaps[i].depth > 8) {
      walk_levels<V, 7, 9, Missing, 8>(heaps[i], list(heaps[i]), tiles[i]);
    }
  }
  for (std::size_t i = 0; i < trees; ++i) {
    if (heaps[i].depth > 9) {
      walk_levels<V, 9, 10, Missing, 8>(heaps[i], list(heaps[i]), tiles[i]);
    }
  }
}

/// The trees take turns, so that the processor finds independent work while it waits for the one.
template <class V, bool Missing>
void walk_down(const byte_heap* heaps, const byte_tile* tiles, std::size_t trees) {
  bool fused = V::fuses;
  for (std::size_t i = 0; i < trees; ++i) {
    walk_top<V, Missing>(heaps[i], tiles[i]);
    fused = fused && heaps[i].one_list && heaps[i].depth >= 7;
  }
  if constexpr (V::fuses) {
    if (fused) {
      walk_narrow<V, Missing>(heaps, tiles, trees);
      return;
    }
  }
  for (std::size_t i = 0; i < trees; ++i) {
    walk_rest<V, top_levels, Missing>(heaps[i], heaps[i].lists + (1U << top_levels), tiles[i]);
  }
}

template <class V>
void walk(const byte_heap* heaps, const byte_tile* tiles, std::size_t trees) {
  if (tiles->missing) {
    walk_down<V, true>(heaps, tiles, trees);
  } else {
    walk_down<V, false>(heaps, tiles, trees);
  }
}

} // namespace

} // namespace penstock::ml

#undef PENSTOCK_LANES
