// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/growth.hpp"

#include <limits>

namespace penstock::ml {

std::pair<open_node, open_node> add_split(const open_node& node, const split& at, const binned_features& features,
                                          grown_tree& grown) {
  const auto& cuts = features.cuts[at.feature];
  // Behind the last bin stand the missing values alone.
  const auto threshold = at.bin < cuts.size() ? cuts[at.bin] : std::numeric_limits<float>::infinity();
  const auto first = static_cast<std::uint32_t>(grown.nodes.size());
  grown.nodes[node.index] = {first, first + 1, at.feature, at.missing_left, threshold};
  grown.decrease[at.feature] += static_cast<double>(at.gain) / static_cast<double>(samples_of(node.all));
  grown.nodes.resize(grown.nodes.size() + 2);
  return {{first, node.depth + 1, at.left, left_key(node.key)},
          {first + 1, node.depth + 1, node.all - at.left, right_key(node.key)}};
}

} // namespace penstock::ml
