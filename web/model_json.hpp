// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ml/model_package.hpp"
#include "runtime/scorer.hpp"
#include "web/node_json.hpp"

#include <cstdint>
#include <string>

namespace penstock::web {

/// A model package: `{digest, size_bytes, memory_bytes, kernel{name, reason}, learner{type, parameters{}},
/// predicts{name, type, classes[]}, inputs[{name, type, nullable, min, max, one_of}], metrics{}, importances[{feature,
/// share}] largest first, golden_rows, lineage{}}`. The kernel is the one of this process's machine; `classes` only of
/// a classifier.
[[nodiscard]] document to_json(const ml::model_package& of, const std::string& digest, std::uint64_t size);

/// The same of a registered version, behind what the registry knows of its model: `{name, version, aliases{},
/// versions[], …}`.
[[nodiscard]] document to_json(const runtime::serving_model& of, const runtime::registry_table::model& registered);

/// A class as JSON has it: an integer, true or false, or a string, as the model's labels were.
[[nodiscard]] document class_json(const std::string& name, ml::field_type type);

} // namespace penstock::web
