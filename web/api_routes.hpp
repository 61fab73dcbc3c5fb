// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/node_client.hpp"
#include "web/router.hpp"

#include <string>

namespace penstock::web {

/// `/api/v1/…`, read only: `node`, `actors`, `actors/<address>`, `shards`, `shards/<name>`, `sources`, `trainings`,
/// `topics`, `topics/<topic>`, `topics/<topic>/records?partition=&offset=&limit=`, `models`, `models/<model>`, `runs`,
/// `events`, `dead-letters?stream=`. Lists as in `list_page`; errors as `application/problem+json`, those for a name
/// that does not exist with the nearest one that does.
void add_api_routes(router& to, actors::node_client& client, const std::string& node_name);

} // namespace penstock::web
