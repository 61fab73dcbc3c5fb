// SPDX-License-Identifier: Apache-2.0
#include "runtime/webhook.hpp"

#include <nlohmann/json.hpp>

namespace penstock::runtime {

const char* name_of(enum training_event::kind what) {
  switch (what) {
  case training_event::kind::started:
    return "training.started";
  case training_event::kind::completed:
    return "training.completed";
  case training_event::kind::failed:
    return "training.failed";
  }
  return "unknown";
}

std::string webhook_body(const training_event& event) {
  using json = nlohmann::ordered_json;
  json body = {{"event", name_of(event.what)},
               {"training", event.training},
               {"run", event.run},
               {"attempt", event.attempt},
               {"at", format_wall(event.at)}};
  if (event.what == training_event::kind::failed)
    body["cause"] = event.cause;
  if (event.what == training_event::kind::completed) {
    body["digest"] = event.digest;
    body["metrics"] = json::object();
    for (const auto& [name, value] : event.metrics)
      body["metrics"][name] = value;
  }
  return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

} // namespace penstock::runtime
