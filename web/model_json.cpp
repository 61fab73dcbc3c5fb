// SPDX-License-Identifier: Apache-2.0
#include "web/model_json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

namespace penstock::web {

namespace {

document number_json(double value) {
  return std::isfinite(value) ? document(value) : document(nullptr);
}

document metrics_json(const std::map<std::string, double>& metrics) {
  document out = document::object();
  for (const auto& [name, value] : metrics)
    out[name] = number_json(value);
  return out;
}

document field_json(const ml::field_spec& of) {
  document out{{"name", of.name}, {"type", ml::name_of(of.type)}, {"nullable", of.nullable}};
  out["min"] = of.min ? document(*of.min) : document(nullptr);
  out["max"] = of.max ? document(*of.max) : document(nullptr);
  out["one_of"] = of.one_of;
  return out;
}

document importances_json(const std::map<std::string, double>& importances) {
  std::vector<std::pair<std::string, double>> sorted(importances.begin(), importances.end());
  std::ranges::stable_sort(sorted, std::greater{}, [](const auto& each) { return each.second; });
  document out = document::array();
  for (const auto& [feature, share] : sorted)
    out.push_back({{"feature", feature}, {"share", number_json(share)}});
  return out;
}

document predicts_json(const ml::model_package& of) {
  if (of.output.size() == 0)
    return document::object();
  const auto& answer = of.output.fields().front();
  document out{{"name", answer.name}, {"type", ml::name_of(answer.type)}};
  if (answer.one_of.empty())
    return out;
  out["classes"] = document::array();
  for (const auto& name : answer.one_of)
    out["classes"].push_back(class_json(name, answer.type));
  return out;
}

} // namespace

document class_json(const std::string& name, ml::field_type type) {
  if (type == ml::field_type::boolean)
    return name == "true";
  std::int64_t number = 0;
  const auto [end, wrong] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (type == ml::field_type::int64 && wrong == std::errc{} && end == name.data() + name.size())
    return number;
  return name;
}

document to_json(const ml::model_package& of, const std::string& digest, std::uint64_t size) {
  const auto kernel = of.model->kernel();
  document out{{"digest", digest},
               {"size_bytes", size},
               {"memory_bytes", of.model->memory()},
               {"kernel", {{"name", kernel.name}, {"reason", kernel.reason}}},
               {"learner", {{"type", of.learner.type}, {"parameters", of.learner.parameters}}},
               {"predicts", predicts_json(of)}};
  auto& inputs = out["inputs"] = document::array();
  for (const auto& field : of.input.fields())
    inputs.push_back(field_json(field));
  out["metrics"] = metrics_json(of.metrics);
  out["importances"] = importances_json(of.importances);
  out["golden_rows"] = of.golden.size();
  out["lineage"] = {
      {"training", of.lineage.training}, {"data_path", of.lineage.data_path}, {"data_digest", of.lineage.data_digest},
      {"split", of.lineage.split},       {"rows", of.lineage.rows},           {"seed", of.lineage.seed},
      {"build", of.lineage.build}};
  return out;
}

document to_json(const runtime::serving_model& of, const runtime::registry_table::model& registered) {
  auto out = to_json(registered);
  const auto versions = out["versions"];
  out.erase("versions");
  out["version"] = of.version;
  out.update(to_json(*of.package, of.digest, of.size));
  out["versions"] = versions;
  return out;
}

} // namespace penstock::web
