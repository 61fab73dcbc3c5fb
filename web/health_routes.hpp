// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/node_client.hpp"
#include "web/router.hpp"

#include <string>

namespace penstock::web {

/// `/livez` (this process answers), `/readyz` and `/health` (the node is ready; 503 otherwise), `/metrics` (Prometheus
/// text), `/version`.
void add_health_routes(router& to, actors::node_client& client, const std::string& node_name);

} // namespace penstock::web
