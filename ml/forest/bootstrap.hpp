// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ml/forest/sample_kernels.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace penstock::ml {

/// Draws the sample of each tree: as many rows as there are, with replacement, by odds if rows have weights; or every
/// row once. Immutable after it is made.
class bootstrap {
public:
  /// Every row once.
  static bootstrap none(std::size_t rows);
  /// @param weights  one for each row, not negative, not all zero, finite; empty = equal odds
  static bootstrap draws(std::size_t rows, std::span<const double> weights);

  [[nodiscard]] std::size_t rows() const { return rows_; }

  /// How often each row is in the sample of a tree.
  /// @param counts  rows() places
  void sample(std::uint64_t tree_key, std::span<std::uint32_t> counts) const;
  /// The same in bytes, of which one wraps around when its row is drawn 256 times: then they do not sum up to rows().
  /// Returns how many rows have a count; nothing when weights make the wrapping likely.
  [[nodiscard]] std::optional<std::uint32_t> sample(std::uint64_t tree_key, std::span<std::uint8_t> counts,
                                                    draw_function& draw) const;

private:
  /// Walker's alias method (Vose, IEEE Transactions on Software Engineering 17, 1991): a slot is one row with some odds
  /// and another one with the rest.
  struct slot {
    std::uint32_t odds = 0; ///< of 2³² that it is the slot's own row
    std::uint32_t other = 0;
  };

  void place(std::span<const double> weights);

  std::size_t rows_ = 0;
  bool replace_ = false;
  std::vector<slot> slots_; ///< empty = equal odds
};

} // namespace penstock::ml
