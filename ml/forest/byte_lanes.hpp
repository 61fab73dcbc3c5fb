// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ml/forest/byte_walk.hpp"

#include <cstddef>
#include <cstdint>

/// Registers of bytes, whatever the instruction set: tables looked up, features selected, values turned into codes.
/// Included by the one file of each instruction set, which therefore gets a copy of its own: everything here is in an
/// unnamed namespace.
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

/// Ends at the end of byte_walk_lanes.hpp.
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

} // namespace

} // namespace penstock::ml
