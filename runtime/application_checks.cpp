// SPDX-License-Identifier: Apache-2.0
// What can only be checked when all documents of an application are known.
#include "runtime/application_kinds.hpp"
#include "runtime/scorer.hpp"

#include <algorithm>

namespace penstock::runtime {

namespace {

template <class List>
std::vector<std::string> names_of(const List& list) {
  std::vector<std::string> names;
  for (const auto& element : list)
    names.push_back(element.name);
  return names;
}

/// Notes problems of one document on the line of the key that is wrong.
class document_checker {
public:
  document_checker(spec_reader& reader, std::string subject) : reader_(reader), subject_(std::move(subject)) {}

  void problem(const std::string& path, const std::string& text) {
    reader_.problem(reader_.line_of(subject_, path), fmt::format("{}: {}: {}", subject_, path, text));
  }

  /// False, and a problem, when the name is given and nothing of that kind has it.
  bool declared(const std::string& path, const char* kind, const std::string& name,
                const std::vector<std::string>& known) {
    if (name.empty())
      return false; // already noted when it was read
    if (std::ranges::find(known, name) != known.end())
      return true;
    problem(path, fmt::format("no {} is called {}{}", kind, name,
                              known.empty() ? fmt::format("; declare it in a document of kind {}", kind)
                                            : suggestion(name, known)));
    return false;
  }

private:
  spec_reader& reader_;
  std::string subject_;
};

bool is_numeric(ml::field_type type) {
  return type != ml::field_type::string;
}

/// Whether a value of one type can be a class of the other; a float64 can be an integer.
bool can_be_class(ml::field_type value, ml::field_type classes) {
  return value == classes || (value == ml::field_type::float64 && classes == ml::field_type::int64);
}

bool classifies(const training_spec& training) {
  const auto learner = ml::make_learner(training.learner);
  return learner && (*learner)->classifies();
}

void check_training(const application_spec& spec, const training_spec& training, spec_reader& reader) {
  document_checker check(reader, "Training " + training.name);
  check.declared("dataset", "Dataset", training.dataset, names_of(spec.datasets));
  if (!training.weight.empty() && training.weight == training.target)
    check.problem("weight", training.weight + " is also the target; rows cannot count by what is to be learnt");
  if (std::ranges::find(training.features, training.target) != training.features.end())
    check.problem("target", training.target + " is also a feature; the model would only have to copy it");
}

void check_source(const application_spec& spec, const source_spec& source, spec_reader& reader) {
  document_checker check(reader, "Source " + source.name);
  check.declared("dataset", "Dataset", source.dataset, names_of(spec.datasets));
  check.declared("topic", "Topic", source.topic, names_of(spec.topics));
  std::vector<std::string> fields;
  for (const auto& [field, column] : source.record) {
    fields.push_back(field);
    if (column.empty())
      check.problem("record." + field, "needs a column, or $index for the row's number");
  }
  if (!source.key.empty() && !fields.empty() && std::ranges::find(fields, source.key) == fields.end())
    check.problem("key", fmt::format("{} is no field of the record{}", source.key, suggestion(source.key, fields)));
}

// -- streams ------------------------------------------------------------------------

/// The features of every training of this file that makes the stream's model must be numbers of the schema.
void check_features(const application_spec& spec, const stream_spec& stream, const ml::schema& schema,
                    spec_reader& reader) {
  const auto known = names_of(schema.fields());
  for (const auto& training : spec.trainings) {
    if (training.model != stream.model)
      continue;
    document_checker check(reader, "Training " + training.name);
    if (ml::make_learner(training.learner) && classifies(training) == stream.classes.empty())
      document_checker(reader, "Stream " + stream.name)
          .problem("classes", stream.classes.empty()
                                  ? fmt::format("model {} is a classifier (Training {}); list what it tells apart, "
                                                "like classes: [0, 1]",
                                                stream.model, training.name)
                                  : fmt::format("model {} predicts numbers (Training {}, {}), not classes; remove the "
                                                "key or train a classifier",
                                                stream.model, training.name, training.learner.type));
    for (const auto& feature : training.features) {
      const auto found = schema.find(feature);
      if (!found)
        check.problem("features", fmt::format("{} is not in schema {} of stream {}{}", feature, stream.schema,
                                              stream.name, suggestion(feature, known)));
      else if (!is_numeric(schema.fields()[*found].type))
        check.problem("features", fmt::format("{} is a string in schema {} of stream {}; a model wants numbers",
                                              feature, stream.schema, stream.name));
    }
  }
}

void check_fields(const stream_spec& stream, const ml::schema& schema, spec_reader& reader) {
  document_checker check(reader, "Stream " + stream.name);
  auto inputs = expression_inputs(schema, stream);
  for (auto i = schema.size(); i < inputs.size(); ++i)
    if (schema.find(inputs[i].name))
      check.problem("input.schema",
                    fmt::format("schema {} has a field called {}, which is what the model answers; rename it",
                                stream.schema, inputs[i].name));
  std::vector<std::string> outputs;
  for (const auto& [name, text] : stream.output_fields) {
    auto compiled = expression::compile(text, inputs);
    if (!compiled)
      check.problem("output.fields." + name, compiled.error().text());
    inputs.push_back({name, compiled ? compiled->type() : ml::field_type::float64});
    outputs.push_back(name);
  }
  if (!stream.output_key.empty() && !outputs.empty() && std::ranges::find(outputs, stream.output_key) == outputs.end())
    check.problem("output.key", fmt::format("{} is no field of the output{}", stream.output_key,
                                            suggestion(stream.output_key, outputs)));
  const auto known = names_of(inputs);
  const auto evaluated = [&](const std::string& path, const std::string& field) {
    if (field.empty())
      return;
    const auto found = std::ranges::find(inputs.rbegin(), inputs.rend(), field, &expression_input::name);
    if (found == inputs.rend())
      check.problem(
          path, fmt::format("{} is neither a field of the output nor of the input{}", field, suggestion(field, known)));
    else if (stream.classes.empty() && !is_numeric(found->type))
      check.problem(path, field + " is a string; error figures want numbers");
    else if (!stream.classes.empty() && !can_be_class(found->type, stream.prediction))
      check.problem(path, fmt::format("{} is a {}, the classes {} are {}s", field, name_of(found->type),
                                      fmt::join(stream.classes, ", "), name_of(stream.prediction)));
  };
  evaluated("evaluate.actual", stream.evaluate_actual);
  evaluated("evaluate.predicted", stream.evaluate_predicted);
}

void check_stream(const application_spec& spec, const stream_spec& stream, const std::vector<std::string>& topics,
                  spec_reader& reader) {
  document_checker check(reader, "Stream " + stream.name);
  const bool has_input = check.declared("input.topic", "Topic", stream.input_topic, topics);
  if (check.declared("input.schema", "Schema", stream.schema, names_of(spec.schemas))) {
    const auto& schema = *spec.find_schema(stream.schema);
    if (schema.size() > 0) { // otherwise its own mistakes are already noted
      check_features(spec, stream, schema, reader);
      check_fields(stream, schema, reader);
    }
  }
  check.declared("output.topic", "Topic", stream.output_topic, topics);
  if (!stream.output_topic.empty() && stream.output_topic == stream.input_topic)
    check.problem("output.topic", "is also the input: the stream would feed itself; write to another topic");
  if (stream.dead_letters == stream.input_topic || stream.dead_letters == stream.output_topic)
    check.problem("dead_letters", "must be a topic of its own");
  if (has_input) {
    const auto partitions = spec.find_topic(stream.input_topic)->partitions;
    if (stream.shards > static_cast<std::uint32_t>(partitions))
      check.problem("shards", fmt::format("{} are more than the {} partitions of topic {}", stream.shards, partitions,
                                          stream.input_topic));
  }
}

/// A dead letter keeps its partition number, so that its topic needs as many partitions as the input.
void add_dead_letters(application_spec& spec, const stream_spec& stream, spec_reader& reader) {
  const auto* input = spec.find_topic(stream.input_topic);
  if (input == nullptr)
    return;
  const auto partitions = input->partitions;
  if (const auto* there = spec.find_topic(stream.dead_letters)) {
    if (there->partitions != partitions)
      document_checker(reader, "Stream " + stream.name)
          .problem("dead_letters", fmt::format("topic {} has {} partitions, the input has {}; they must be the same",
                                               there->name, there->partitions, partitions));
    return;
  }
  storage::topic_spec made;
  made.name = stream.dead_letters;
  made.partitions = partitions;
  made.replication = input->replication;
  spec.topics.push_back(std::move(made));
}

} // namespace

void check_application(application_spec& spec, std::span<const read_document> documents, spec_reader& reader) {
  const auto of_application = [](const read_document& document) { return document.kind == "Application"; };
  const auto applications = std::ranges::count_if(documents, of_application);
  if (applications == 0)
    reader.problem(1, documents.empty() ? "declares nothing; an application starts with a document of kind Application"
                                        : "there is no document of kind Application; it names the whole");
  if (applications > 1) {
    const auto last = std::ranges::find_if(documents.rbegin(), documents.rend(), of_application);
    reader.problem(last->line, "there is more than one document of kind Application; keep one");
  }
  for (const auto& training : spec.trainings)
    check_training(spec, training, reader);
  for (const auto& source : spec.sources)
    check_source(spec, source, reader);
  const auto topics = names_of(spec.topics);
  for (const auto& stream : spec.streams) {
    check_stream(spec, stream, topics, reader);
    add_dead_letters(spec, stream, reader);
  }
}

} // namespace penstock::runtime
