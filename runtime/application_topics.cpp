// SPDX-License-Identifier: Apache-2.0
// The kinds Application, Topic and Schema.
#include "runtime/application_kinds.hpp"

#include <algorithm>
#include <limits>

namespace penstock::runtime {

namespace {

constexpr std::int64_t unlimited = std::numeric_limits<std::int64_t>::max();
constexpr auto a_year = std::chrono::hours{24 * 365};
constexpr std::size_t most_fields = 4096;

/// One of the conditions in `stop_when.any`.
void read_condition(const yaml_node& node, stop_spec& into, spec_reader& reader) {
  static const std::vector<std::string> known{"records", "idle", "time"};
  if (!reader.is(node, yaml_node::kind::mapping))
    return;
  for (const auto& [key, line, value] : node.entries)
    reader.at(key, line, [&, &name = key, &where = line, &content = *value] {
      const auto twice = [&](bool given) {
        if (given)
          reader.problem(where, fmt::format("{}: given twice; the smaller one would win", reader.where()));
      };
      if (name == "records") {
        twice(into.records.has_value());
        into.records = reader.integer(content, 1, unlimited);
      } else if (name == "idle") {
        twice(into.idle.has_value());
        into.idle = reader.time_span(content, std::chrono::milliseconds{1}, a_year);
      } else if (name == "time") {
        twice(into.time.has_value());
        into.time = reader.time_span(content, std::chrono::milliseconds{1}, a_year);
      } else {
        reader.unknown_key(name, where, known);
      }
    });
}

void read_stop(const yaml_node& node, application_spec& into, spec_reader& reader) {
  if (!reader.is(node, yaml_node::kind::sequence))
    return;
  std::size_t index = 0;
  for (const auto& item : node.items)
    reader.at(fmt::format("[{}]", index++), item->line, [&] { read_condition(*item, into.stop_when, reader); });
  if (node.items.empty())
    reader.problem(node, "needs at least one of records, idle and time");
}

void read_models(const yaml_node& node, application_spec& into, spec_reader& reader) {
  if (!reader.is(node, yaml_node::kind::scalar) || node.text.empty())
    return; // empty means the node's data directory
  if (const auto path = reader.path_to(node))
    into.models = path->string();
}

std::vector<property<application_spec>> application_properties() {
  using spec = application_spec;
  return {
      section<spec>(
          "log",
          {
              simple<spec>("bootstrap_servers", "host:port,…", "empty", &spec::bootstrap_servers, &spec_reader::text,
                           "Kafka brokers; empty = the embedded log of this machine"),
              section<spec>("connect",
                            {
                                simple<spec>(
                                    "attempts", "1 … 1000", "10", [](spec& s) -> auto& { return s.connect.attempts; },
                                    [](spec_reader& r, const yaml_node& n) { return r.integer(n, 1, 1000); },
                                    "how often the first connection is tried"),
                                simple<spec>(
                                    "delay", "duration", "5s", [](spec& s) -> auto& { return s.connect.delay; },
                                    [](spec_reader& r, const yaml_node& n) {
                                      return r.time_span(n, duration::zero(), std::chrono::hours{1});
                                    },
                                    "time between two attempts"),
                            },
                            "first connection"),
          },
          "where records are kept"),
      {"models", "path", "empty", "directory of the model store; empty = in the node's data directory", read_models},
      section<spec>("stop_when",
                    {{"any", "list of {records: n}, {idle: duration}, {time: duration}", "never",
                      "when `penstock run` ends by itself, whichever comes first: so many outputs and dead letters, "
                      "nothing processed for so long, running for so long",
                      read_stop}},
                    "when to end"),
  };
}

void read_schema_fields(const yaml_node& node, named_schema& into, spec_reader& reader) {
  auto made = ml::schema::make(read_fields(node, reader));
  if (made)
    into.schema = *std::move(made);
  else
    reader.problem(node, made.error().text());
}

// -- fields -----------------------------------------------------------------------

void read_one_of(const yaml_node& node, ml::field_spec& into, spec_reader& reader) {
  if (!reader.is(node, yaml_node::kind::sequence))
    return;
  for (const auto& item : node.items)
    if (auto value = reader.text(*item))
      into.one_of.push_back(*std::move(value));
  if (node.items.empty())
    reader.problem(node, "allows nothing; name the values or remove the key");
}

const std::vector<property<ml::field_spec>>& field_properties() {
  using spec = ml::field_spec;
  static const std::vector<std::string> types{"int64", "float64", "boolean", "string"};
  static const std::vector<property<spec>> properties{
      required(simple<spec>("name", "text", "", &spec::name, &spec_reader::field_name, "of the field")),
      required(simple<spec>(
          "type", "int64, float64, boolean or string", "", &spec::type,
          [](spec_reader& r, const yaml_node& n) -> std::optional<ml::field_type> {
            const auto chosen = r.choice(n, types);
            return chosen ? ml::field_type_of(types[*chosen]) : std::nullopt;
          },
          "what values it takes")),
      simple<spec>("nullable", "true or false", "false", &spec::nullable, &spec_reader::flag,
                   "whether null, or no value at all, is fine"),
      simple<spec>("min", "number", "none", &spec::min, &spec_reader::number, "smallest value, inclusive"),
      simple<spec>("max", "number", "none", &spec::max, &spec_reader::number, "largest value, inclusive"),
      {"one_of", "list", "any", "the only values that are allowed", read_one_of},
  };
  return properties;
}

} // namespace

std::vector<reference_row> field_reference() {
  std::vector<reference_row> rows;
  describe(field_properties(), "", rows);
  return rows;
}

std::vector<ml::field_spec> read_fields(const yaml_node& node, spec_reader& reader) {
  std::vector<ml::field_spec> out;
  if (!reader.is(node, yaml_node::kind::sequence))
    return out;
  if (node.items.empty() || node.items.size() > most_fields) {
    reader.problem(node, fmt::format("needs 1 to {} fields", most_fields));
    return out;
  }
  std::map<std::string, int> lines;
  for (const auto& item : node.items)
    reader.at(fmt::format("[{}]", out.size()), item->line, [&] {
      ml::field_spec field;
      read_mapping(*item, field_properties(), field, reader);
      if (field.name.empty())
        field.name = fmt::format("[{}]", out.size()); // already a mistake; the others are still worth finding
      if (const auto made = ml::schema::make({field}); !made)
        reader.problem(*item, made.error().text());
      const auto [earlier, is_new] = lines.emplace(field.name, item->line);
      if (is_new)
        out.push_back(std::move(field));
      else
        reader.problem(*item, fmt::format("field {} is already declared on line {}", field.name, earlier->second));
    });
  return out;
}

document_kind application_kind() {
  document_kind out{"Application", "What all documents of the file belong to; once in a file.", {}, {}};
  auto properties = application_properties();
  describe(properties, "", out.reference);
  out.read = [properties = std::move(properties)](const yaml_node& node, const std::string& name,
                                                  application_spec& into, spec_reader& reader) {
    into.name = name;
    read_mapping(node, properties, into, reader);
  };
  return out;
}

document_kind topic_kind() {
  using spec = storage::topic_spec;
  return kind_of<spec>(
      "Topic", "A named sequence of records in partitions.",
      {
          simple<spec>(
              "partitions", "1 … 1024", "1", &spec::partitions,
              [](spec_reader& r, const yaml_node& n) { return r.integer(n, 1, 1024); },
              "in how many sequences records are kept; records of one key share one"),
          simple<spec>(
              "retention", "duration", "keep", &spec::retention,
              [](spec_reader& r, const yaml_node& n) { return r.time_span(n, std::chrono::seconds{1}, 100 * a_year); },
              "age after which records may go"),
          simple<spec>("retention_bytes", "size", "keep", &spec::retention_bytes, &spec_reader::size,
                       "size of a partition beyond which its oldest records may go"),
          simple<spec>("compacted", "true or false", "false", &spec::compacted, &spec_reader::flag,
                       "whether the last record of each key is enough"),
          simple<spec>(
              "replication", "1 … 15", "1", &spec::replication,
              [](spec_reader& r, const yaml_node& n) { return r.integer(n, 1, 15); },
              "copies on different brokers; Kafka only"),
      },
      &application_spec::topics);
}

document_kind schema_kind() {
  auto kind = kind_of<named_schema>(
      "Schema", "The fields of a record; a record that breaks it becomes a dead letter.",
      {required(property<named_schema>{"fields", "list of fields", "", "see the keys of a field", read_schema_fields})},
      &application_spec::schemas);
  return kind;
}

} // namespace penstock::runtime
