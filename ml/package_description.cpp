// SPDX-License-Identifier: Apache-2.0
#include "ml/package_description.hpp"

#include <nlohmann/json.hpp>

#include <cmath>
#include <limits>

namespace penstock::ml {

namespace {

using nlohmann::json;

constexpr std::size_t longest = std::size_t{4} << 20;
constexpr int deepest = 8; ///< levels of nesting; a description has four

json to_json(const field_spec& field) {
  json out{{"name", field.name}, {"type", name_of(field.type)}, {"nullable", field.nullable}};
  if (field.min) {
    out["min"] = *field.min;
  }
  if (field.max) {
    out["max"] = *field.max;
  }
  if (!field.one_of.empty()) {
    out["one_of"] = field.one_of;
  }
  return out;
}

json to_json(const schema& schema) {
  auto fields = json::array();
  for (const auto& field : schema.fields()) {
    fields.push_back(to_json(field));
  }
  return fields;
}

std::optional<double> optional_number(const json& from, const char* key) {
  const auto found = from.find(key);
  return found == from.end() ? std::nullopt : std::optional(found->get<double>());
}

field_spec field_from(const json& from) {
  field_spec field;
  field.name = from.at("name").get<std::string>();
  const auto type = field_type_of(from.at("type").get_ref<const std::string&>());
  if (!type) {
    throw std::invalid_argument("field " + field.name + " is of no known type");
  }
  field.type = *type;
  field.nullable = from.at("nullable").get<bool>();
  field.min = optional_number(from, "min");
  field.max = optional_number(from, "max");
  if (const auto allowed = from.find("one_of"); allowed != from.end()) {
    field.one_of = allowed->get<std::vector<std::string>>();
  }
  return field;
}

schema schema_from(const json& from) {
  std::vector<field_spec> fields;
  for (const auto& field : from) {
    fields.push_back(field_from(field));
  }
  auto made = schema::make(std::move(fields));
  if (!made) {
    throw std::invalid_argument(made.error().text());
  }
  return *std::move(made);
}

/// JSON has no NaN: a metric that is not finite is null.
json metrics_json(const std::map<std::string, double>& metrics) {
  auto out = json::object();
  for (const auto& [name, number] : metrics) {
    out[name] = std::isfinite(number) ? json(number) : json();
  }
  return out;
}

std::map<std::string, double> metrics_from(const json& from) {
  std::map<std::string, double> metrics;
  for (const auto& [name, number] : from.items()) {
    metrics[name] = number.is_null() ? std::numeric_limits<double>::quiet_NaN() : number.get<double>();
  }
  return metrics;
}

json to_json(const lineage& from) {
  return {{"data_digest", from.data_digest},
          {"data_path", from.data_path},
          {"split", from.split},
          {"rows", from.rows},
          {"seed", from.seed},
          {"training", from.training},
          {"build", from.build}};
}

lineage lineage_from(const json& from) {
  lineage to;
  to.data_digest = from.at("data_digest").get<std::string>();
  to.data_path = from.at("data_path").get<std::string>();
  to.split = from.at("split").get<std::string>();
  to.rows = from.at("rows").get<std::uint64_t>();
  to.seed = from.at("seed").get<std::uint64_t>();
  to.training = from.at("training").get<std::string>();
  to.build = from.at("build").get<std::string>();
  return to;
}

json parse(std::string_view text) {
  return json::parse(text, [](int depth, json::parse_event_t, json&) {
    if (depth > deepest) {
      throw std::invalid_argument("it is nested too deeply");
    }
    return true;
  });
}

} // namespace

std::string encode_description(const model_package& package) {
  const json out{{"learner", {{"type", package.learner.type}, {"parameters", package.learner.parameters}}},
                 {"input", to_json(package.input)},
                 {"output", to_json(package.output)},
                 {"metrics", metrics_json(package.metrics)},
                 {"importances", metrics_json(package.importances)},
                 {"lineage", to_json(package.lineage)}};
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

status decode_description(std::string_view text, model_package& into) {
  if (text.size() > longest) {
    return fail(errc::invalid, "description: {} bytes are more than the {} allowed", text.size(), longest);
  }
  try {
    const auto from = parse(text);
    into.learner.type = from.at("learner").at("type").get<std::string>();
    into.learner.parameters = from.at("learner").at("parameters").get<std::map<std::string, std::string>>();
    into.input = schema_from(from.at("input"));
    into.output = schema_from(from.at("output"));
    into.metrics = metrics_from(from.at("metrics"));
    into.importances = metrics_from(from.at("importances"));
    into.lineage = lineage_from(from.at("lineage"));
  } catch (const std::exception& problem) {
    return fail(errc::invalid, "description: {}", problem.what());
  }
  return {};
}

} // namespace penstock::ml
