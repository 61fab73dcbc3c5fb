// SPDX-License-Identifier: Apache-2.0
#include "tools/model_text.hpp"

#include "base/units.hpp"
#include "tools/resource_table.hpp"
#include "tools/training_view.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace penstock::tools {

namespace {

constexpr std::size_t bar_width = 24;

std::string text_of(const document& value) {
  auto text =
      value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, document::error_handler_t::replace);
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return text;
}

std::string joined(const document& list) {
  std::string out;
  for (const auto& each : list)
    out += (out.empty() ? "" : ", ") + text_of(each);
  return out;
}

void row(std::string& out, const char* name, const std::string& value) {
  if (!value.empty())
    out += fmt::format("{:<12}  {}\n", name, value);
}

std::string size_text(const document& model) {
  const auto size = model.value("size_bytes", std::uint64_t{0});
  const auto memory = model.value("memory_bytes", std::uint64_t{0});
  return fmt::format("{} stored, {} in memory", format_size(size), format_size(memory));
}

std::string number_text(const document& value) {
  return value.is_number() ? fmt::format("{:.4f}", value.get<double>()) : "-";
}

std::string predicts_text(const document& predicts) {
  if (!predicts.contains("name"))
    return "";
  const auto kind = text_of(predicts["name"]) + " (" + text_of(predicts.value("type", document(""))) + ")";
  return predicts.contains("classes") ? kind + ", one of " + joined(predicts["classes"]) : kind;
}

/// What a value must keep to: `0 … 130`, `0, 1`.
std::string limits_of(const document& field) {
  if (const auto allowed = field.value("one_of", document::array()); !allowed.empty())
    return joined(allowed);
  const auto least = field.value("min", document());
  const auto most = field.value("max", document());
  if (least.is_null() && most.is_null())
    return "";
  return (least.is_null() ? "" : text_of(least)) + " …" + (most.is_null() ? "" : " " + text_of(most));
}

std::string inputs_text(const document& inputs) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& each : inputs)
    rows.push_back({"  " + text_of(each.value("name", document(""))), text_of(each.value("type", document(""))),
                    each.value("nullable", false) ? "may be missing" : "", limits_of(each)});
  return as_table({"  NAME", "TYPE", "", "LIMITS"}, rows);
}

std::string importances_text(const document& importances) {
  std::size_t width = 0;
  for (const auto& each : importances)
    width = std::max(width, each.value("feature", "").size());
  const auto largest = importances.empty() || !importances.front()["share"].is_number()
                           ? 0.0
                           : importances.front()["share"].get<double>();
  std::string out;
  for (const auto& each : importances) {
    const auto share = each["share"].is_number() ? each["share"].get<double>() : 0;
    out += fmt::format("  {:<{}}  {} {:5.1f} %\n", text_of(each["feature"]), width,
                       bar(largest > 0 ? share / largest : 0, bar_width), share * 100);
  }
  return out;
}

} // namespace

std::string model_text(const document& model) {
  std::string out;
  const auto learner = model.value("learner", document::object());
  const auto kernel = model.value("kernel", document::object());
  if (model.contains("name"))
    row(out, "model", text_of(model["name"]) + " version " + text_of(model.value("version", document())));
  std::string aliases;
  const auto all_aliases = model.value("aliases", document::object());
  for (const auto& [alias, version] : all_aliases.items())
    aliases += fmt::format("{}{} = version {}", aliases.empty() ? "" : ", ", alias, text_of(version));
  row(out, "aliases", aliases);
  row(out, "digest", model.value("digest", ""));
  row(out, "size", size_text(model));
  row(out, "kernel",
      text_of(kernel.value("name", document(""))) + ": " + text_of(kernel.value("reason", document(""))));
  row(out, "learner", text_of(learner.value("type", document(""))));
  const auto parameters = learner.value("parameters", document::object());
  for (const auto& [name, value] : parameters.items())
    out += fmt::format("{:<12}    {:<18} {}\n", "", name, text_of(value));
  row(out, "predicts", predicts_text(model.value("predicts", document::object())));
  row(out, "golden rows", text_of(model.value("golden_rows", document(0))));
  out += "\nMetrics of the hold-out (oob_: of the rows that a tree has not seen):\n";
  const auto metrics = model.value("metrics", document::object());
  for (const auto& [name, value] : metrics.items())
    out += fmt::format("  {:<20} {}\n", name, number_text(value));
  out += "\nImportances, share of what the splits gained:\n" +
         importances_text(model.value("importances", document::array()));
  out += "\nInputs:\n" + inputs_text(model.value("inputs", document::array()));
  out += "\nLineage:\n";
  const auto lineage = model.value("lineage", document::object());
  for (const auto& [name, value] : lineage.items())
    out += fmt::format("  {:<12} {}\n", name, text_of(value));
  return out;
}

std::map<std::string, double> main_metrics(const std::map<std::string, double>& metrics) {
  std::map<std::string, double> out;
  for (const auto& [name, value] : metrics) {
    const auto bare = name.ends_with("_macro") ? name.substr(0, name.size() - 6) : name;
    if (name.ends_with("_weighted") || name == "oob_rows" || (bare != name && metrics.contains(bare)))
      continue;
    out[name] = value;
  }
  return out;
}

} // namespace penstock::tools
