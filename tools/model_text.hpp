// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tools/api_client.hpp"

#include <map>
#include <string>

namespace penstock::tools {

/// A model's description (`web::to_json` of a package or a version) for people: the figures that matter first, inputs
/// as a table, importances as bars.
[[nodiscard]] std::string model_text(const document& model);

/// Asks a node for a version of a model, or its champion.
/// @param which  `NAME`, `NAME:VERSION` or `NAME@ALIAS`, else `errc::usage`
[[nodiscard]] result<document> describe_model(const api_client& client, const std::string& which);

/// The metrics that a line has room for: without averages that have a plainer name beside them, and without counts.
[[nodiscard]] std::map<std::string, double> main_metrics(const std::map<std::string, double>& metrics);

} // namespace penstock::tools
