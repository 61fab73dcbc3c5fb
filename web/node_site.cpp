// SPDX-License-Identifier: Apache-2.0
#include "web/node_site.hpp"

#include "web/api_routes.hpp"
#include "web/health_routes.hpp"
#include "web/prediction_routes.hpp"

namespace penstock::web {

router node_site(actors::node_client& client, const std::string& node_name) {
  router out;
  add_health_routes(out, client, node_name);
  add_api_routes(out, client, node_name);
  add_prediction_routes(out, client);
  return out;
}

} // namespace penstock::web
