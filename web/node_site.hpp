// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/node_client.hpp"
#include "web/router.hpp"

#include <string>

namespace penstock::web {

/// Everything that a node answers over HTTP: health, metrics, `/api/v1`, inference and the form.
/// @param client  outlives the server that gets the router
[[nodiscard]] router node_site(actors::node_client& client, const std::string& node_name);

} // namespace penstock::web
