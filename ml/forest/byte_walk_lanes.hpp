// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ml/forest/byte_walk.hpp"

#include <cstddef>
#include <cstdint>

/// The walk of byte_walk.hpp, written once for any registers of bytes. Included by the one file of each instruction
/// set, which therefore gets a copy of its own: everything here is in an unnamed namespace.
///
/// `V`, the registers, has
///
///     bytes, mask                       types; a mask has one truth value for each byte
///     lanes                             bytes in a register
///     load(p) store(p, x) fill(b)       b in every byte
///     part(p)                           a part of a table, see look_up
///     add(a, b) both(a, b)              byte by byte; both: bitwise and
///     above(a, b) → mask                a > b, signed
///     set_bit<i>(x, mask)               x with bit i set where the mask is; it was clear before
///     bit<i>(x) → mask                  is bit i of x set?
///     pick(mask, no, yes)               yes where the mask is
///     index_bits                        bits of an index that `look_up` obeys; the next ones by `pick`
///     look_up(part, index)              bytes of the part by number
///     pairs, look_up(part, part, index) whether and how one more bit is obeyed
namespace penstock::ml {

namespace {

/// 2^n registers, as a tree, so that compilers keep each of them in a register.
template <class V, unsigned Size>
struct pack {
  pack<V, Size / 2> low, high;
};
template <class V>
struct pack<V, 1> {
  typename V::bytes only;
};

/// What finds a row's node on a level: the path, and as masks those of its bits that permutes do not obey.
template <class V>
struct place {
  typename V::bytes low;
  typename V::mask bits[deepest_byte_heap];
};

#define PENSTOCK_LANES [[gnu::always_inline]] inline

template <class V, unsigned Size>
PENSTOCK_LANES pack<V, Size> load_table(const std::uint8_t* from) {
  if constexpr (Size == 1) {
    return {V::part(from)};
  } else {
    constexpr auto half = std::size_t{Size / 2} << V::index_bits;
    return {load_table<V, Size / 2>(from), load_table<V, Size / 2>(from + half)};
  }
}

template <class V, unsigned Size>
PENSTOCK_LANES pack<V, Size> load_features(const byte_code* codes, const std::uint16_t* features) {
  if constexpr (Size == 1) {
    return {V::load(codes + *features * V::lanes)};
  } else {
    return {load_features<V, Size / 2>(codes, features), load_features<V, Size / 2>(codes, features + Size / 2)};
  }
}

/// Registers that a table of 2^Level bytes takes.
template <class V>
constexpr unsigned parts(unsigned level) {
  return level <= V::index_bits ? 1 : 1U << (level - V::index_bits);
}

template <class V, unsigned Level, unsigned Size>
PENSTOCK_LANES typename V::bytes look_up(const pack<V, Size>& table, const place<V>& at) {
  if constexpr (Size == 1) {
    return V::look_up(table.only, at.low);
  } else {
    if constexpr (Size == 2 && V::pairs) {
      return V::look_up(table.low.only, table.high.only, at.low);
    } else {
      return V::pick(at.bits[Level - 1], look_up<V, Level - 1>(table.low, at), look_up<V, Level - 1>(table.high, at));
    }
  }
}

/// One of the registers for each byte, by the masks from `bits` on: those of the number's highest bit last.
template <class V, unsigned Size>
PENSTOCK_LANES typename V::bytes select(const pack<V, Size>& from, const typename V::mask* bits) {
  if constexpr (Size == 1) {
    return from.only;
  } else {
    constexpr unsigned top = __builtin_ctz(Size) - 1;
    return V::pick(bits[top], select<V>(from.low, bits), select<V>(from.high, bits));
  }
}

template <class V, unsigned Size>
PENSTOCK_LANES typename V::bytes select_by_tag(const pack<V, Size>& from, typename V::bytes tags) {
  typename V::mask bits[6];
  if constexpr (Size > 1) {
    bits[0] = V::template bit<7>(tags);
  }
  if constexpr (Size > 2) {
    bits[1] = V::template bit<6>(tags);
  }
  if constexpr (Size > 4) {
    bits[2] = V::template bit<5>(tags);
  }
  if constexpr (Size > 8) {
    bits[3] = V::template bit<4>(tags);
  }
  if constexpr (Size > 16) {
    bits[4] = V::template bit<3>(tags);
  }
  if constexpr (Size > 32) {
    bits[5] = V::template bit<2>(tags);
  }
  return select<V>(from, bits);
}

template <class V, bool Missing>
PENSTOCK_LANES typename V::mask goes_right(typename V::bytes codes, typename V::bytes cuts,
                                           [[maybe_unused]] typename V::bytes tags) {
  if constexpr (Missing) {
    // One more than a missing value's code wraps around to the lowest of all, which is above nothing.
    const auto left = V::both(tags, V::fill(1));
    return V::above(V::add(codes, left), V::add(cuts, left));
  } else {
    return V::above(codes, cuts);
  }
}

template <class V, unsigned Level, unsigned Bit>
PENSTOCK_LANES void find_bits(place<V>& at, typename V::bytes low, typename V::bytes high) {
  if constexpr (Bit < Level) {
    if constexpr (Bit < 8) {
      at.bits[Bit] = V::template bit<Bit>(low);
    } else {
      at.bits[Bit] = V::template bit<Bit - 8>(high);
    }
    find_bits<V, Level, Bit + 1>(at, low, high);
  }
}

/// The place of a row that has come down to a level.
template <class V, unsigned Level>
PENSTOCK_LANES place<V> place_of(typename V::bytes low, typename V::bytes high) {
  place<V> at;
  at.low = V::index(low);
  find_bits<V, Level, V::index_bits + (V::pairs ? 1 : 0)>(at, low, high);
  return at;
}

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

/// `byte_functions::encode`. `Codes` has
///
///     code_of(thresholds, x)      of a number; of a missing value any code
///     any_missing(values, count)
template <class Codes>
bool encode(const byte_thresholds* thresholds, const float* rows, std::size_t count, std::size_t features,
            std::size_t lanes, byte_code* codes) {
  const bool missing = Codes::any_missing(rows, count * features);
  for (; count != 0; codes += features * lanes) {
    const auto some = count < lanes ? count : lanes;
    for (std::size_t row = 0; row < some; ++row, rows += features) {
      for (std::size_t feature = 0; feature < features; ++feature) {
        codes[feature * lanes + row] = Codes::code_of(thresholds[feature], rows[feature]);
      }
      if (missing) {
        for (std::size_t feature = 0; feature < features; ++feature) {
          if (rows[feature] != rows[feature]) {
            codes[feature * lanes + row] = missing_code;
          }
        }
      }
    }
    count -= some;
  }
  return missing;
}

#undef PENSTOCK_LANES

} // namespace

} // namespace penstock::ml
