// SPDX-License-Identifier: Apache-2.0
#include "web/node_json.hpp"

#include "web/text_encoding.hpp"

#include <nlohmann/json.hpp>

namespace penstock::web {

namespace {

double seconds(duration value) {
  return std::chrono::duration<double>(value).count();
}

/// Sets `name`, or `name_base64` when the bytes are no text.
void set_bytes(document& to, const std::string& name, std::string_view bytes) {
  if (is_utf8(bytes))
    to[name] = bytes;
  else
    to[name + "_base64"] = base64(bytes);
}

document headers_json(const storage::header_list& headers) {
  document out = document::object();
  for (const auto& [name, value] : headers)
    out[name] = value;
  return out;
}

document partition_json(const actors::shard_info::partition& of) {
  return {{"topic", of.of.topic},
          {"partition", of.of.partition},
          {"committed", of.committed},
          {"end", of.end},
          {"metrics", to_json(of.metrics)}};
}

const char* name_of(runtime::runs_table::state state) {
  switch (state) {
  case runtime::runs_table::state::running:
    return "running";
  case runtime::runs_table::state::completed:
    return "completed";
  case runtime::runs_table::state::failed:
    return "failed";
  }
  return "unknown";
}

} // namespace

document to_json(const actors::actor_info& of) {
  return {{"address", of.address},
          {"kind", of.kind},
          {"parent", of.parent},
          {"state", of.state},
          {"incarnation", of.incarnation},
          {"restarts", of.restarts},
          {"last_cause", of.last_cause},
          {"mailbox", of.mailbox},
          {"oldest_seconds", seconds(of.oldest)},
          {"handled", of.handled},
          {"busy_seconds", seconds(of.busy)},
          {"since_progress_seconds", seconds(of.since_progress)}};
}

document to_json(const runtime::running_metrics& of) {
  document out{{"records", of.records},
               {"dead_letters", of.dead_letters},
               {"nulls", of.nulls},
               {"evaluated", of.evaluated},
               {"sum_absolute_error", of.sum_absolute_error},
               {"sum_squared_error", of.sum_squared_error},
               {"mae", of.mae()},
               {"rmse", of.rmse()}};
  if (of.classified > 0) {
    out["classified"] = of.classified;
    out["correct"] = of.correct;
    out["accuracy"] = of.accuracy();
    out["log_loss"] = of.log_loss();
  }
  if (of.positives + of.false_positives + of.false_negatives > 0) {
    out["precision"] = of.precision();
    out["recall"] = of.recall();
    out["f1"] = of.f1();
  }
  return out;
}

document to_json(const actors::shard_info& of) {
  document out{{"name", of.name},           {"stream", of.stream},
               {"phase", of.phase},         {"epoch", of.epoch},
               {"in_flight", of.in_flight}, {"commits", of.commits},
               {"aborted", of.aborted},     {"fenced", of.fenced},
               {"in_doubt", of.in_doubt},   {"model_version", of.model_version},
               {"failure", of.failure}};
  auto& partitions = out["partitions"] = document::array();
  for (const auto& each : of.partitions)
    partitions.push_back(partition_json(each));
  return out;
}

document to_json(const actors::source_info& of) {
  return {{"name", of.name},
          {"phase", of.phase},
          {"produced", of.produced},
          {"target", of.target},
          {"failure", of.failure}};
}

document to_json(const actors::training_info& of) {
  return {{"name", of.training},
          {"state", of.state},
          {"step", runtime::name_of(of.progress.step)},
          {"step_number", static_cast<int>(of.progress.step)},
          {"steps", runtime::training_steps},
          {"step_share", of.progress.share},
          {"step_text", of.progress.text},
          {"attempt", of.attempt},
          {"reused", of.reused},
          {"version", of.version},
          {"digest", of.digest},
          {"metrics", of.metrics},
          {"cause", of.cause}};
}

document to_json(const storage::topic_info& of) {
  document out{{"name", of.spec.name}};
  std::int64_t records = 0;
  auto partitions = document::array();
  for (std::size_t i = 0; i < of.partitions.size(); ++i) {
    const auto& range = of.partitions[i];
    records += range.end - range.start;
    partitions.push_back({{"partition", i}, {"start", range.start}, {"end", range.end}});
  }
  out["partitions"] = std::move(partitions);
  out["records"] = records;
  out["bytes"] = of.bytes;
  out["compacted"] = of.spec.compacted;
  out["retention_seconds"] = of.spec.retention ? document(seconds(*of.spec.retention)) : document(nullptr);
  out["retention_bytes"] = of.spec.retention_bytes ? document(*of.spec.retention_bytes) : document(nullptr);
  return out;
}

document to_json(const runtime::registry_table::model& of) {
  document out{{"name", of.name}, {"aliases", of.aliases}};
  auto& versions = out["versions"] = document::array();
  for (const auto& each : of.versions)
    versions.push_back({{"version", each.number},
                        {"digest", each.digest},
                        {"run", each.run},
                        {"metrics", each.metrics},
                        {"registered", each.registered}});
  return out;
}

document to_json(const runtime::runs_table::run& of) {
  return {{"id", of.id},           {"training", of.training}, {"state", name_of(of.state)}, {"attempt", of.attempt},
          {"inputs", of.inputs},   {"digest", of.digest},     {"metrics", of.metrics},      {"cause", of.cause},
          {"started", of.started}, {"ended", of.ended}};
}

document to_json(const runtime::event_noted& of) {
  return {{"at", of.at}, {"event", of.event}, {"subject", of.subject}, {"text", of.text}};
}

document to_json(const actors::node_info& of, const std::string& name) {
  return {{"name", name},
          {"application", of.application},
          {"log", of.log_url},
          {"ready", of.ready},
          {"restarts", of.restarts},
          {"process_restarts", of.process_restarts},
          {"commit_p50_seconds", seconds(of.commit_p50)},
          {"commit_p99_seconds", seconds(of.commit_p99)},
          {"input_end", of.input_end},
          {"failure", of.failure}};
}

document to_json(const storage::partition_id& from, const storage::record_view& record) {
  document out{
      {"topic", from.topic}, {"partition", from.partition}, {"offset", record.offset}, {"timestamp", record.timestamp}};
  set_bytes(out, "key", record.key);
  if (record.tombstone)
    out["value"] = nullptr;
  else
    set_bytes(out, "value", record.value);
  out["headers"] = headers_json(storage::decode_headers(record.headers));
  return out;
}

document to_json(const std::string& stream, const actors::dead_letter& of) {
  document out{{"stream", stream},
               {"topic", of.of.topic},
               {"partition", of.of.partition},
               {"offset", of.offset},
               {"timestamp", of.timestamp}};
  set_bytes(out, "key", of.key);
  set_bytes(out, "value", of.value);
  out["headers"] = headers_json(of.headers);
  return out;
}

std::string dump_line(const document& content) {
  return content.dump(-1, ' ', false, document::error_handler_t::replace);
}

} // namespace penstock::web
