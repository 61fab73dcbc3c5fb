// SPDX-License-Identifier: Apache-2.0
#include "tools/application_text.hpp"

#include "base/units.hpp"

#include <nlohmann/json.hpp>

namespace penstock::tools {

namespace {

/// Exact, in the largest unit that divides it: what the file could say.
std::string exact(duration value) {
  struct unit {
    std::int64_t nanoseconds;
    const char* name;
  };
  static constexpr unit units[]{{86'400'000'000'000, "d"}, {3'600'000'000'000, "h"}, {60'000'000'000, "m"},
                                {1'000'000'000, "s"},      {1'000'000, "ms"},        {1'000, "us"}};
  for (const auto& each : units)
    if (value.count() != 0 && value.count() % each.nanoseconds == 0)
      return std::to_string(value.count() / each.nanoseconds) + each.name;
  return value.count() == 0 ? "0s" : std::to_string(value.count()) + "ns";
}

document field(const ml::field_spec& of) {
  document out{{"name", of.name}, {"type", ml::name_of(of.type)}};
  if (of.nullable)
    out["nullable"] = true;
  if (of.min)
    out["min"] = *of.min;
  if (of.max)
    out["max"] = *of.max;
  if (!of.one_of.empty())
    out["one_of"] = of.one_of;
  return out;
}

document fields(const std::vector<ml::field_spec>& all) {
  document out = document::array();
  for (const auto& each : all)
    out.push_back(field(each));
  return out;
}

document topic(const storage::topic_spec& of) {
  document out{{"name", of.name}, {"partitions", of.partitions}, {"compacted", of.compacted}};
  if (of.retention)
    out["retention"] = exact(*of.retention);
  if (of.retention_bytes)
    out["retention_bytes"] = *of.retention_bytes;
  out["replication"] = of.replication;
  return out;
}

document dataset(const runtime::dataset_spec& of) {
  document out{{"name", of.name},
               {"path", of.path.string()},
               {"delimiter", std::string(1, of.delimiter)},
               {"on_error", of.bad_rows == ml::on_error::fail ? "fail" : "skip"}};
  if (!of.fields.empty())
    out["fields"] = fields(of.fields);
  if (of.split)
    out["split"] = {
        {"test_size", of.split->test_size}, {"seed", of.split->seed}, {"part", of.split->test_part ? "test" : "train"}};
  if (of.split && !of.split->stratify.empty())
    out["split"]["stratify"] = of.split->stratify;
  return out;
}

document training(const runtime::training_spec& of) {
  document out{{"name", of.name},
               {"dataset", of.dataset},
               {"features", of.features},
               {"target", of.target},
               {"predicts", of.predicts},
               {"holdout", {{"test_size", of.holdout_size}, {"seed", of.holdout_seed}}},
               {"learner", {{"type", of.learner.type}, {"parameters", of.learner.parameters}}},
               {"model", of.model},
               {"retries", {{"max", of.retries}, {"delay", exact(of.retry_delay)}}},
               {"webhook", of.webhook}};
  if (!of.holdout_stratify.empty())
    out["holdout"]["stratify"] = of.holdout_stratify;
  if (!of.weight.empty())
    out["weight"] = of.weight;
  if (of.memory > 0)
    out["memory"] = of.memory;
  return out;
}

document pairs(const std::vector<std::pair<std::string, std::string>>& all) {
  document out = document::object();
  for (const auto& [name, value] : all)
    out[name] = value;
  return out;
}

document source(const runtime::source_spec& of) {
  document out{{"name", of.name}, {"dataset", of.dataset},      {"topic", of.topic},
               {"key", of.key},   {"record", pairs(of.record)}, {"interval", exact(of.interval)}};
  if (of.limit)
    out["limit"] = *of.limit;
  return out;
}

document from(const runtime::stream_spec& of) {
  switch (of.from) {
  case runtime::start_from::earliest:
    return "earliest";
  case runtime::start_from::latest:
    return "latest";
  case runtime::start_from::offset:
    return {{"offset", of.from_value}};
  case runtime::start_from::time:
    return {{"time", of.from_value}};
  }
  return nullptr;
}

document stream(const runtime::stream_spec& of) {
  document out{{"name", of.name},
               {"input", {{"topic", of.input_topic}, {"schema", of.schema}, {"from", from(of)}}},
               {"on_gap", of.on_gap == runtime::on_gap::fail ? "fail" : "skip"},
               {"model", of.model},
               {"alias", of.alias},
               {"output", {{"topic", of.output_topic}, {"key", of.output_key}, {"fields", pairs(of.output_fields)}}},
               {"dead_letters", of.dead_letters},
               {"evaluate", {{"actual", of.evaluate_actual}, {"predicted", of.evaluate_predicted}}},
               {"shards", of.shards},
               {"commit", {{"interval", exact(of.commit_interval)}, {"records", of.commit_records}}},
               {"watchdog", exact(of.watchdog)}};
  if (!of.classes.empty())
    out["classes"] = of.classes;
  return out;
}

document stop_when(const runtime::stop_spec& of) {
  document out = document::array();
  if (of.records)
    out.push_back({{"records", *of.records}});
  if (of.idle)
    out.push_back({{"idle", exact(*of.idle)}});
  if (of.time)
    out.push_back({{"time", exact(*of.time)}});
  return {{"any", out}};
}

template <class T>
document list(const std::vector<T>& all, document (*one)(const T&)) {
  document out = document::array();
  for (const auto& each : all)
    out.push_back(one(each));
  return out;
}

document schema(const runtime::named_schema& of) {
  return {{"name", of.name}, {"fields", fields(of.schema.fields())}};
}

} // namespace

document as_document(const runtime::application_spec& application) {
  return {{"name", application.name},
          {"file", application.file.string()},
          {"log",
           {{"bootstrap_servers", application.bootstrap_servers},
            {"connect", {{"attempts", application.connect.attempts}, {"delay", exact(application.connect.delay)}}}}},
          {"models", application.models},
          {"stop_when", stop_when(application.stop_when)},
          {"topics", list(application.topics, topic)},
          {"schemas", list(application.schemas, schema)},
          {"datasets", list(application.datasets, dataset)},
          {"trainings", list(application.trainings, training)},
          {"sources", list(application.sources, source)},
          {"streams", list(application.streams, stream)}};
}

} // namespace penstock::tools
