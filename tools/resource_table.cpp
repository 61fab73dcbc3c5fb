// SPDX-License-Identifier: Apache-2.0
#include "tools/resource_table.hpp"

#include "base/clock.hpp"
#include "base/units.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace penstock::tools {

namespace {

std::string text_of(const document& value) {
  if (value.is_null())
    return "";
  return value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, document::error_handler_t::replace);
}

/// A field as it is; empty when it is absent.
std::string field(const document& item, const char* name) {
  const auto found = item.is_object() ? item.find(name) : item.end();
  return !item.is_object() || found == item.end() ? "" : text_of(*found);
}

double number(const document& item, const char* name) {
  const auto found = item.find(name);
  return found == item.end() || !found->is_number() ? 0 : found->get<double>();
}

std::string seconds(double value) {
  if (!std::isfinite(value) || std::abs(value) > 9e9)
    return "-";
  return format_duration(duration(static_cast<std::int64_t>(value * 1e9)));
}

std::string wall(const document& item, const char* name) {
  const auto time = static_cast<std::int64_t>(number(item, name));
  return time == 0 ? "" : format_wall(time);
}

std::string cut(std::string text, std::size_t most) {
  std::ranges::replace(text, '\n', ' ');
  if (text.size() <= most)
    return text;
  auto end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
    --end;
  return text.substr(0, end) + "…";
}

template <std::size_t N>
struct literal {
  constexpr literal(const char (&text)[N]) { std::copy_n(text, N, value); }
  char value[N];
};

template <literal Name>
std::string plain(const document& item) {
  return field(item, Name.value);
}
template <literal Name>
std::string brief(const document& item) {
  return cut(field(item, Name.value), 60);
}
template <literal Name>
std::string time_span(const document& item) {
  return seconds(number(item, Name.value));
}
template <literal Name>
std::string moment(const document& item) {
  return wall(item, Name.value);
}

double sum(const document& shard, const char* group, const char* name) {
  double out = 0;
  for (const auto& partition : shard.value("partitions", document::array()))
    out += group == nullptr ? number(partition, name) : number(partition.value(group, document::object()), name);
  return out;
}

std::string lag(const document& shard) {
  return fmt::format("{:.0f}", sum(shard, nullptr, "end") - sum(shard, nullptr, "committed"));
}
std::string records(const document& shard) {
  return fmt::format("{:.0f}", sum(shard, "metrics", "records"));
}
std::string letters(const document& shard) {
  return fmt::format("{:.0f}", sum(shard, "metrics", "dead_letters"));
}
std::string partition_count(const document& item) {
  return std::to_string(item.value("partitions", document::array()).size());
}
std::string size(const document& item) {
  return format_size(static_cast<std::uint64_t>(std::max(0.0, number(item, "bytes"))));
}
std::string latest_version(const document& model) {
  const auto versions = model.value("versions", document::array());
  return versions.empty() ? "" : field(versions.back(), "version");
}
std::string latest_digest(const document& model) {
  const auto versions = model.value("versions", document::array());
  return versions.empty() ? "" : field(versions.back(), "digest").substr(0, 12);
}
std::string metrics_text(const document& item) {
  std::string out;
  const auto metrics = item.value("metrics", document::object());
  for (const auto& [name, value] : metrics.items())
    out += fmt::format("{}{} {:.4f}", out.empty() ? "" : ", ", name, value.is_number() ? value.get<double>() : 0);
  return out;
}
std::string latest_metrics(const document& model) {
  const auto versions = model.value("versions", document::array());
  return versions.empty() ? "" : metrics_text(versions.back());
}
std::string aliases(const document& model) {
  std::string out;
  const auto all = model.value("aliases", document::object());
  for (const auto& [alias, version] : all.items())
    out += fmt::format("{}{}={}", out.empty() ? "" : ",", alias, text_of(version));
  return out;
}
std::string step(const document& training) {
  return fmt::format("{}/{} {}", field(training, "step_number"), field(training, "steps"), field(training, "step"));
}
std::string cause(const document& letter) {
  return cut(field(letter.value("headers", document::object()), "cause"), 60);
}
std::string input(const document& letter) {
  return field(letter.value("headers", document::object()), "input");
}

std::vector<resource> all_resources() {
  return {
      {"actors",
       "actor",
       "address",
       {{"ADDRESS", plain<"address">},
        {"KIND", plain<"kind">},
        {"STATE", plain<"state">},
        {"RESTARTS", plain<"restarts">},
        {"MAILBOX", plain<"mailbox">},
        {"HANDLED", plain<"handled">},
        {"LAST CAUSE", brief<"last_cause">},
        {"INCARNATION", plain<"incarnation">, true},
        {"BUSY", time_span<"busy_seconds">, true},
        {"SINCE PROGRESS", time_span<"since_progress_seconds">, true},
        {"PARENT", plain<"parent">, true}}},
      {"shards",
       "shard",
       "name",
       {{"NAME", plain<"name">},
        {"PHASE", plain<"phase">},
        {"PARTITIONS", partition_count},
        {"RECORDS", records},
        {"LAG", lag},
        {"DEAD LETTERS", letters},
        {"COMMITS", plain<"commits">},
        {"MODEL VERSION", plain<"model_version">},
        {"FAILURE", brief<"failure">},
        {"EPOCH", plain<"epoch">, true},
        {"ABORTED", plain<"aborted">, true},
        {"FENCED", plain<"fenced">, true},
        {"IN DOUBT", plain<"in_doubt">, true},
        {"STREAM", plain<"stream">, true}}},
      {"sources",
       "source",
       "name",
       {{"NAME", plain<"name">},
        {"PHASE", plain<"phase">},
        {"PRODUCED", plain<"produced">},
        {"TARGET", plain<"target">},
        {"FAILURE", brief<"failure">}}},
      {"trainings",
       "training",
       "name",
       {{"NAME", plain<"name">},
        {"STATE", plain<"state">},
        {"STEP", step},
        {"ATTEMPT", plain<"attempt">},
        {"REUSED", plain<"reused">},
        {"VERSION", plain<"version">},
        {"METRICS", metrics_text},
        {"CAUSE", brief<"cause">},
        {"DIGEST", plain<"digest">, true}}},
      {"topics",
       "topic",
       "name",
       {{"NAME", plain<"name">},
        {"PARTITIONS", partition_count},
        {"RECORDS", plain<"records">},
        {"SIZE", size},
        {"COMPACTED", plain<"compacted">, true},
        {"RETENTION SECONDS", plain<"retention_seconds">, true}}},
      {"models",
       "model",
       "name",
       {{"NAME", plain<"name">},
        {"VERSION", latest_version},
        {"ALIASES", aliases},
        {"METRICS", latest_metrics},
        {"DIGEST", latest_digest, true}}},
      {"runs",
       "run",
       "id",
       {{"ID", plain<"id">},
        {"TRAINING", plain<"training">},
        {"STATE", plain<"state">},
        {"ATTEMPT", plain<"attempt">},
        {"STARTED", moment<"started">},
        {"ENDED", moment<"ended">},
        {"CAUSE", brief<"cause">},
        {"DIGEST", plain<"digest">, true},
        {"INPUTS", plain<"inputs">, true}}},
      {"events",
       "event",
       "event",
       {{"AT", moment<"at">}, {"EVENT", plain<"event">}, {"SUBJECT", plain<"subject">}, {"TEXT", brief<"text">}}},
      {"dead-letters",
       "dead-letter",
       "offset",
       {{"STREAM", plain<"stream">},
        {"INPUT", input},
        {"KEY", brief<"key">},
        {"CAUSE", cause},
        {"AT", moment<"timestamp">},
        {"VALUE", brief<"value">, true}}},
      {"nodes",
       "node",
       "name",
       {{"NAME", plain<"name">},
        {"APPLICATION", plain<"application">},
        {"READY", plain<"ready">},
        {"RESTARTS", plain<"restarts">},
        {"PROCESS RESTARTS", plain<"process_restarts">},
        {"FAILURE", brief<"failure">},
        {"LOG", plain<"log">, true}}},
  };
}

bool objects_only(const document& list) {
  return !list.empty() && std::ranges::all_of(list, [](const document& each) { return each.is_object(); });
}

/// `metrics: {mae: 1}` becomes the columns `metrics.mae`.
void flatten(const document& object, const std::string& prefix, std::vector<std::pair<std::string, std::string>>& out) {
  for (const auto& [name, value] : object.items()) {
    if (value.is_object())
      flatten(value, prefix + name + ".", out);
    else
      out.emplace_back(prefix + name, text_of(value));
  }
}

std::string table_of_objects(const document& list) {
  std::vector<std::string> headings;
  std::vector<std::vector<std::string>> rows;
  for (const auto& each : list) {
    std::vector<std::pair<std::string, std::string>> cells;
    flatten(each, "", cells);
    std::vector<std::string> row;
    for (auto& [heading, cell] : cells) {
      if (rows.empty())
        headings.push_back(heading);
      row.push_back(std::move(cell));
    }
    rows.push_back(std::move(row));
  }
  return as_table(headings, rows);
}

std::string indented(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find('\n', at);
    out += "  " + text.substr(at, end - at) + "\n";
    at = end == std::string::npos ? text.size() : end + 1;
  }
  return out;
}

} // namespace

std::span<const resource> resources() {
  static const auto all = all_resources();
  return all;
}

const resource* find_resource(const std::string& word) {
  for (const auto& each : resources())
    if (word == each.noun || word == each.singular)
      return &each;
  return nullptr;
}

std::string table_of(const resource& what, const std::vector<document>& items, bool wide) {
  std::vector<std::string> headings;
  for (const auto& column : what.columns)
    if (wide || !column.wide)
      headings.emplace_back(column.heading);
  std::vector<std::vector<std::string>> rows;
  for (const auto& item : items) {
    auto& row = rows.emplace_back();
    for (const auto& column : what.columns)
      if (wide || !column.wide)
        row.push_back(column.cell(item));
  }
  return as_table(headings, rows);
}

std::string name_of(const resource& what, const document& item) {
  return field(item, what.name);
}

std::string details_of(const document& item) {
  std::size_t width = 0;
  for (const auto& [name, value] : item.items())
    width = std::max(width, name.size());
  std::string out;
  for (const auto& [name, value] : item.items()) {
    if (value.is_array() && objects_only(value)) {
      out += name + ":\n" + indented(table_of_objects(value));
    } else if (value.is_object() && !value.empty()) {
      out += name + ":\n" + indented(details_of(value));
    } else {
      auto text = text_of(value);
      std::ranges::replace_if(
          text, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
      out += fmt::format("{:<{}}  {}", name + ":", width + 1, text);
      out.resize(out.find_last_not_of(' ') + 1);
      out += "\n";
    }
  }
  return out;
}

} // namespace penstock::tools
