// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace penstock::ml {

/// Sorts numbers ascending; −0 comes before +0, and NaN is not allowed. A radix sort: linear, three passes.
void sort_values(std::vector<float>& values);

} // namespace penstock::ml
