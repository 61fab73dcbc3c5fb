// SPDX-License-Identifier: Apache-2.0
#include "web/api_routes.hpp"

#include "base/spelling.hpp"
#include "web/error_response.hpp"
#include "web/list_page.hpp"
#include "web/model_json.hpp"
#include "web/node_json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

namespace penstock::web {

namespace {

using actors::node_client;

constexpr auto ask_limit = std::chrono::seconds(2);
constexpr std::size_t dead_letters_most = 1000;

http_response json(const document& body) {
  return {200, "application/json", dump_line(body) + "\n", {}};
}

http_response refused(const error& why) {
  return error_response(area::api, why);
}

/// The answer for one thing, or the error that says why there is none.
http_response answer(const result<document>& body) {
  return body ? json(*body) : refused(body.error());
}

http_response answer_list(result<std::vector<document>> items, const request_target& target) {
  return items ? answer(list_page(*std::move(items), target)) : refused(items.error());
}

template <class T>
result<std::vector<document>> all_json(const result<std::vector<T>>& from) {
  if (!from)
    return from.error();
  std::vector<document> out;
  for (const auto& each : *from)
    out.push_back(to_json(each));
  return out;
}

/// The item whose `field` is `name`; not_found names the nearest one.
result<document> named(const result<std::vector<document>>& items, const char* what, const char* field,
                       const std::string& name) {
  if (!items)
    return items.error();
  std::vector<std::string> known;
  for (const auto& item : *items) {
    known.push_back(item.at(field).get<std::string>());
    if (known.back() == name)
      return item;
  }
  const auto near = nearest(name, known);
  return fail(errc::not_found, "there is no {} \"{}\"{}", what, name, near ? ", did you mean \"" + *near + "\"?" : "");
}

// -- what a node consists of --------------------------------------------------

using list_source = std::function<result<std::vector<document>>(node_client&)>;

result<std::vector<document>> actors_of(node_client& client) {
  return all_json(client.actors(ask_limit));
}

result<std::vector<document>> shards_of(node_client& client) {
  return all_json(client.shards(ask_limit));
}

result<std::vector<document>> topics_of(node_client& client) {
  return all_json(client.topics(ask_limit));
}

result<std::vector<document>> sources_of(node_client& client) {
  const auto node = client.node(ask_limit);
  if (!node)
    return node.error();
  return all_json(result<std::vector<actors::source_info>>(node->sources));
}

result<std::vector<document>> trainings_of(node_client& client) {
  const auto node = client.node(ask_limit);
  if (!node)
    return node.error();
  return all_json(result<std::vector<actors::training_info>>(node->trainings));
}

result<std::vector<document>> models_of(node_client& client) {
  const auto registry = client.registry(ask_limit);
  if (!registry)
    return registry.error();
  std::vector<document> out;
  for (const auto& [name, model] : registry->models())
    out.push_back(to_json(model));
  return out;
}

/// Newest first.
result<std::vector<document>> runs_of(node_client& client) {
  const auto runs = client.runs(ask_limit);
  if (!runs)
    return runs.error();
  std::vector<document> out;
  for (const auto& [id, run] : runs->runs())
    out.push_back(to_json(run));
  std::ranges::stable_sort(out, std::ranges::greater{},
                           [](const document& run) { return run.at("started").get<std::int64_t>(); });
  return out;
}

/// Newest first.
result<std::vector<document>> events_of(node_client& client) {
  auto out = all_json(client.events(ask_limit));
  if (out)
    std::ranges::reverse(*out);
  return out;
}

// -- records ------------------------------------------------------------------

/// `house-prices/house-prices` → `house-prices`: how the application calls its stream.
std::string short_name(const std::string& stream) {
  return stream.substr(stream.rfind('/') + 1);
}

result<std::vector<std::string>> streams_of(node_client& client) {
  const auto shards = client.shards(ask_limit);
  if (!shards)
    return shards.error();
  std::set<std::string> names;
  for (const auto& shard : *shards)
    names.insert(short_name(shard.stream));
  return std::vector<std::string>(names.begin(), names.end());
}

/// Newest first within each stream.
result<std::vector<document>> dead_letters_of(node_client& client, const request_target& target) {
  auto streams = streams_of(client);
  if (!streams)
    return streams.error();
  if (const auto wanted = target.parameter("stream")) {
    const auto name = short_name(*wanted);
    if (std::ranges::find(*streams, name) == streams->end()) {
      const auto near = nearest(name, *streams);
      return fail(errc::not_found, "there is no stream \"{}\"{}", *wanted,
                  near ? ", did you mean \"" + *near + "\"?" : "");
    }
    *streams = {name};
  }
  std::vector<document> out;
  for (const auto& stream : *streams) {
    const auto letters = client.dead_letters(stream, dead_letters_most, ask_limit);
    if (!letters)
      return letters.error();
    for (const auto& each : *letters)
      out.push_back(to_json(stream, each));
  }
  return out;
}

/// `{"items": […], "next": offset, "end": offset}`: reading goes on at `next`; at `end` there is nothing more now.
result<document> records_of(node_client& client, const http_request& request) {
  const auto topic = named(topics_of(client), "topic", "name", request.captured.at("topic"));
  if (!topic)
    return topic.error();
  const auto& partitions = topic->at("partitions");
  const auto last = static_cast<std::int64_t>(partitions.size()) - 1;
  const auto partition = number_parameter(request.target, "partition", 0, last, 0);
  if (!partition)
    return partition.error();
  const auto& range = partitions.at(static_cast<std::size_t>(*partition));
  const auto start = range.at("start").get<std::int64_t>();
  const auto end = range.at("end").get<std::int64_t>();
  const auto offset = number_parameter(request.target, "offset", 0, INT64_MAX, start);
  if (!offset)
    return offset.error();
  const auto limit = number_parameter(request.target, "limit", 1, 1000, 100);
  if (!limit)
    return limit.error();
  const storage::partition_id of{request.captured.at("topic"), static_cast<std::int32_t>(*partition)};
  document out{{"items", document::array()}, {"next", std::max(*offset, start)}, {"end", end}};
  if (*offset >= end)
    return out;
  const auto found = client.read({of, std::max(*offset, start)}, static_cast<std::size_t>(*limit), ask_limit);
  if (!found)
    return found.error();
  for (std::size_t i = 0; i < found->records.size(); ++i)
    out["items"].push_back(to_json(of, found->records[i]));
  out["next"] = found->next;
  return out;
}

/// A version of a model by number or alias, with everything that its package says.
result<document> version_of(node_client& client, const std::string& name, const std::string& version) {
  const auto registry = client.registry(ask_limit);
  if (!registry)
    return registry.error();
  const auto* registered = registry->find(name);
  if (registered == nullptr)
    return named(models_of(client), "model", "name", name).error();
  if (registry->find(name, version) == nullptr) {
    std::vector<std::string> known;
    for (const auto& [alias, number] : registered->aliases)
      known.push_back(alias);
    const auto near = nearest(version, known);
    return fail(errc::not_found, "model {} has no version or alias \"{}\"{}; its latest version is {}", name, version,
                near ? ", did you mean \"" + *near + "\"?" : "", registered->versions.back().number);
  }
  const auto model = client.model(name, version, ask_limit);
  if (!model)
    return model.error();
  return to_json(**model, *registered);
}

/// Only as JSON: a form of another site cannot say that, so no page that a user visits can cancel a training.
http_response cancel_training(node_client& client, const http_request& request) {
  if (request.content_type != "application/json")
    return error_response(area::api, 415, "post it with Content-Type: application/json; the body may be {}");
  const auto& name = request.captured.at("training");
  if (const auto done = client.cancel_training(name, ask_limit); !done)
    return refused(done.error());
  const auto trainings = trainings_of(client);
  if (trainings)
    for (const auto& each : *trainings)
      if (const auto full = each.at("name").get<std::string>(); full == name || short_name(full) == name)
        return json(each);
  return json({{"name", name}, {"state", "cancelling"}});
}

void add_list(router& to, node_client& client, const std::string& noun, const list_source& items) {
  to.add("GET", "/api/v1/" + noun,
         [&client, items](const http_request& request) { return answer_list(items(client), request.target); });
}

} // namespace

void add_api_routes(router& to, node_client& client, const std::string& node_name) {
  to.add("GET", "/api/v1/node", [&client, node_name](const http_request&) {
    const auto node = client.node(ask_limit);
    return node ? json(to_json(*node, node_name)) : refused(node.error());
  });
  to.add("GET", "/api/v1/nodes", [&client, node_name](const http_request& request) {
    const auto node = client.node(ask_limit);
    return node ? answer(list_page({to_json(*node, node_name)}, request.target)) : refused(node.error());
  });
  add_list(to, client, "actors", actors_of);
  add_list(to, client, "shards", shards_of);
  add_list(to, client, "sources", sources_of);
  add_list(to, client, "trainings", trainings_of);
  add_list(to, client, "topics", topics_of);
  add_list(to, client, "models", models_of);
  add_list(to, client, "runs", runs_of);
  add_list(to, client, "events", events_of);
  to.add("GET", "/api/v1/dead-letters", [&client](const http_request& request) {
    return answer_list(dead_letters_of(client, request.target), request.target);
  });
  to.add("GET", "/api/v1/topics/{topic}/records",
         [&client](const http_request& request) { return answer(records_of(client, request)); });
  to.add("GET", "/api/v1/topics/{topic}", [&client](const http_request& request) {
    return answer(named(topics_of(client), "topic", "name", request.captured.at("topic")));
  });
  to.add("GET", "/api/v1/models/{model}", [&client](const http_request& request) {
    return answer(named(models_of(client), "model", "name", request.captured.at("model")));
  });
  to.add("GET", "/api/v1/models/{model}/versions/{version}", [&client](const http_request& request) {
    return answer(version_of(client, request.captured.at("model"), request.captured.at("version")));
  });
  to.add("POST", "/api/v1/trainings/{training}/cancel",
         [&client](const http_request& request) { return cancel_training(client, request); });
  to.add("GET", "/api/v1/actors/{address...}", [&client](const http_request& request) {
    return answer(named(actors_of(client), "actor", "address", request.captured.at("address")));
  });
  to.add("GET", "/api/v1/shards/{name...}", [&client](const http_request& request) {
    return answer(named(shards_of(client), "shard", "name", request.captured.at("name")));
  });
}

} // namespace penstock::web
