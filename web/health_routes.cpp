// SPDX-License-Identifier: Apache-2.0
#include "web/health_routes.hpp"

#include "base/version.hpp"
#include "web/error_response.hpp"

#include <nlohmann/json.hpp>

namespace penstock::web {

namespace {

using document = nlohmann::ordered_json;

constexpr auto ask_limit = std::chrono::seconds(1);

http_response text(std::string body) {
  return {200, "text/plain; charset=utf-8", std::move(body), {}};
}

http_response json(const document& body) {
  return {200, "application/json", body.dump(-1, ' ', false, document::error_handler_t::replace) + "\n", {}};
}

http_response ready(actors::node_client& client) {
  const auto node = client.node(ask_limit);
  if (!node)
    return error_response(area::page, 503, "not ready: " + node.error().text());
  if (!node->failure.empty())
    return error_response(area::page, 503, "not ready: " + node->failure);
  return node->ready ? text("ready\n") : error_response(area::page, 503, "not ready: the node is starting");
}

http_response health(actors::node_client& client, const std::string& node_name) {
  const auto node = client.node(ask_limit);
  const bool good = node && node->ready && node->failure.empty();
  document body{{"status", good ? "ok" : "unavailable"}, {"node", node_name}};
  body["application"] = node ? node->application : "";
  body["cause"] = !node ? node.error().text() : !node->failure.empty() ? node->failure : good ? "" : "starting";
  auto out = json(body);
  if (!good) {
    out.status = 503;
    out.headers.emplace_back("Retry-After", "1");
  }
  return out;
}

} // namespace

void add_health_routes(router& to, actors::node_client& client, const std::string& node_name) {
  to.add(
      "GET", "/livez", [](const http_request&) { return text("ok\n"); }, runs::at_once);
  to.add("GET", "/readyz", [&client](const http_request&) { return ready(client); });
  to.add("GET", "/health", [&client, node_name](const http_request&) { return health(client, node_name); });
  to.add("GET", "/metrics", [&client](const http_request&) {
    return http_response{200, "text/plain; version=0.0.4; charset=utf-8", client.metrics(), {}};
  });
  to.add(
      "GET", "/version",
      [](const http_request&) {
        return json({{"version", version()}, {"build", build_id()}});
      },
      runs::at_once);
}

} // namespace penstock::web
