// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ml/model_package.hpp"

namespace penstock::ml {

/// What a package says about its model in words, as JSON: learner, schemas, metrics, lineage. Keys are sorted and
/// numbers are written shortest-round-trip, so that the same description gives the same bytes.
[[nodiscard]] std::string encode_description(const model_package& package);

/// Reads it out of untrusted bytes into the same fields. `errc::invalid` for anything that is not such a description.
[[nodiscard]] status decode_description(std::string_view json, model_package& into);

} // namespace penstock::ml
