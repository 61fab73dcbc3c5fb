// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/cpu.hpp"
#include "ml/forest/forest.hpp"
#include "ml/learner.hpp"

#include <cstddef>
#include <memory>
#include <string_view>

namespace penstock::ml {

/// A forest laid out for prediction. Made once when a model is loaded, immutable afterwards. Every kernel gives the
/// same bits for the same forest: it reaches the same leaves and sums them as `forest` says.
class forest_kernel {
public:
  virtual ~forest_kernel() = default;

  /// @param rows  count×features float32, row-major, NaN = missing
  /// @param sums  count×leaf_width places, row-major: for each row the sum of its leaves, see `forest`
  virtual void sum_leaves(const float* rows, std::size_t count, float* sums) const = 0;

  [[nodiscard]] virtual kernel_description description() const = 0;
  /// Bytes of memory it occupies.
  [[nodiscard]] virtual std::size_t memory() const = 0;
};

/// Trees as complete binary heaps of one depth: the children of slot i are 2i+1 and 2i+2, so that a step down needs no
/// link and no branch. Plain code for any processor. For forests whose trees are shallow and well filled; null for any
/// other, whose heaps would exceed four times their nodes.
/// @param why_no_faster  the end of the description's reason
[[nodiscard]] std::unique_ptr<forest_kernel> make_heap_kernel(const forest& forest, std::string_view why_no_faster);

/// Trees as linked nodes, siblings side by side; a leaf leads to itself. For any forest.
[[nodiscard]] std::unique_ptr<forest_kernel> make_linked_kernel(const forest& forest, std::string_view why_no_faster);

/// The fastest kernel for a forest: in bytes (byte_kernel.hpp) where its shape and the processor allow it, else heaps,
/// else links.
/// @param set  what it may ask of the processor; no more than `supported_instructions` counts
[[nodiscard]] std::unique_ptr<forest_kernel> make_forest_kernel(const forest& forest,
                                                                instruction_set set = usable_instructions());

} // namespace penstock::ml
