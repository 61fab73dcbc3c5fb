// SPDX-License-Identifier: Apache-2.0
// The kinds Dataset and Training.
#include "runtime/application_kinds.hpp"

#include <algorithm>
#include <limits>

namespace penstock::runtime {

namespace {

constexpr std::int64_t largest_seed = std::numeric_limits<std::uint32_t>::max();

template <class Spec, class Member>
property<Spec> seed(Member member, std::string fallback) {
  return simple<Spec>(
      "seed", "0 … 4294967295", std::move(fallback), member,
      [](spec_reader& r, const yaml_node& n) { return r.integer(n, 0, largest_seed); },
      "the same seed gives the same rows as scikit-learn's random_state");
}

void read_split(const yaml_node& node, dataset_spec& into, spec_reader& reader) {
  static const std::vector<std::string> parts{"train", "test"};
  static const std::vector<property<split_spec>> properties{
      required(simple<split_spec>("test_size", "percentage or fraction", "", &split_spec::test_size,
                                  &spec_reader::fraction, "the share of rows in the test part")),
      required(seed<split_spec>(&split_spec::seed, "")),
      required(simple<split_spec>(
          "part", "train or test", "", &split_spec::test_part,
          [](spec_reader& r, const yaml_node& n) { return r.choice(n, parts); }, "which part these rows are")),
      simple<split_spec>("stratify", "column", "none", &split_spec::stratify, &spec_reader::field_name,
                         "column whose classes both parts hold in equal shares"),
  };
  split_spec split;
  read_mapping(node, properties, split, reader);
  into.split = split;
}

std::vector<property<dataset_spec>> dataset_properties() {
  using spec = dataset_spec;
  static const std::vector<std::string> formats{"csv"};
  static const std::vector<std::string> reactions{"fail", "skip"};
  return {
      required(simple<spec>("path", "path", "", &spec::path, &spec_reader::path_to,
                            "the file; relative ones start at the application file's folder")),
      {"format", "csv", "csv", "how the file is written",
       [](const yaml_node& node, spec&, spec_reader& reader) { (void)reader.choice(node, formats); }},
      simple<spec>(
          "delimiter", "one character", ",", &spec::delimiter,
          [](spec_reader& r, const yaml_node& n) -> std::optional<char> {
            if (!r.is(n, yaml_node::kind::scalar))
              return std::nullopt;
            const std::string_view forbidden = "\"\r\n";
            if (n.text.size() == 1 && forbidden.find(n.text[0]) == std::string_view::npos &&
                static_cast<unsigned char>(n.text[0]) < 0x80)
              return n.text[0];
            r.problem(n, "must be one ASCII character, neither a quote nor a line break");
            return std::nullopt;
          },
          "between two cells"),
      {"fields", "list of fields", "inferred", "types of columns; others are inferred from all their values",
       [](const yaml_node& node, spec& into, spec_reader& reader) { into.fields = read_fields(node, reader); }},
      {"on_error", "fail or skip", "fail", "what to do with a row that does not parse; skipped ones are counted",
       [](const yaml_node& node, spec& into, spec_reader& reader) {
         if (const auto chosen = reader.choice(node, reactions))
           into.bad_rows = *chosen == 0 ? ml::on_error::fail : ml::on_error::skip;
       }},
      {"split", "{test_size: fraction, seed: number, part: train or test, stratify: column}", "all rows",
       "one part of scikit-learn's train_test_split, with `stratify` the same rows as its `stratify=`", read_split},
  };
}

/// The learner's text of a parameter; a mapping such as `{sick: 3, well: 1}` becomes `sick: 3, well: 1`.
std::optional<std::string> parameter_text(const yaml_node& node, spec_reader& reader) {
  if (node.what != yaml_node::kind::mapping)
    return reader.text(node);
  std::string out;
  bool all_right = !node.entries.empty();
  if (node.entries.empty())
    reader.problem(node, "is an empty mapping; name a value for each class, or remove the key");
  for (const auto& [key, line, value] : node.entries)
    reader.at(key, line, [&, &name = key, &content = *value] {
      if (name.find_first_of(":,") != std::string::npos) {
        reader.problem(content, "a class whose name holds a colon or a comma cannot be given here");
        all_right = false;
      } else if (const auto number = reader.number(content)) {
        out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", name, content.text);
      } else {
        all_right = false;
      }
    });
  return all_right ? std::optional(out) : std::nullopt;
}

/// `type`, and beside it the learner's own parameters. Each is checked alone first, so that its mistake gets its line.
void read_learner(const yaml_node& node, training_spec& into, spec_reader& reader) {
  if (!reader.is(node, yaml_node::kind::mapping))
    return;
  const auto* type = node.find("type");
  if (type == nullptr) {
    reader.problem(node, "needs type, such as random_forest_regressor");
    return;
  }
  if (!reader.is(*type, yaml_node::kind::scalar))
    return;
  into.learner.type = type->text;
  if (const auto alone = ml::make_learner({type->text, {}}); !alone) {
    reader.problem(*type, alone.error().text());
    return;
  }
  bool all_right = true;
  for (const auto& [key, line, value] : node.entries) {
    if (key == "type")
      continue;
    reader.at(key, line, [&, &name = key, &content = *value] {
      const auto text = parameter_text(content, reader);
      if (!text) {
        all_right = false;
        return;
      }
      into.learner.parameters[name] = *text;
      if (const auto alone = ml::make_learner({type->text, {{name, *text}}}); !alone) {
        all_right = false;
        reader.problem(content, alone.error().text());
      }
    });
  }
  if (!all_right)
    return;
  if (const auto together = ml::make_learner(into.learner); !together)
    reader.problem(node, together.error().text());
}

/// `true` stands for the target, which may come later in the file: `training_kind` puts it in.
constexpr const char* stratify_by_target = "true";
constexpr std::uint64_t least_memory = std::uint64_t{1} << 20;

property<training_spec> holdout_section() {
  using spec = training_spec;
  return section<spec>("holdout",
                       {simple<spec>("test_size", "percentage or fraction", "20%", &spec::holdout_size,
                                     &spec_reader::fraction, "rows kept back to measure the model on"),
                        seed<spec>(&spec::holdout_seed, "42"),
                        simple<spec>(
                            "stratify", "true or column", "none", &spec::holdout_stratify,
                            [](spec_reader& r, const yaml_node& n) -> std::optional<std::string> {
                              auto column = r.field_name(n);
                              return column && *column == "false" ? std::string() : std::move(column);
                            },
                            "column whose classes both parts hold in equal shares; true = the target")},
                       "rows kept back");
}

std::vector<property<training_spec>> training_properties() {
  using spec = training_spec;
  return {
      required(simple<spec>("dataset", "name", "", &spec::dataset, &spec_reader::name, "the Dataset to learn from")),
      required(simple<spec>("features", "list of columns", "", &spec::features, &spec_reader::field_names,
                            "what the model sees, in its order")),
      required(simple<spec>("target", "column", "", &spec::target, &spec_reader::field_name,
                            "what it learns: numbers, or for a classifier integers, booleans or strings")),
      simple<spec>("predicts", "text", "the target", &spec::predicts, &spec_reader::field_name,
                   "name of what it predicts"),
      holdout_section(),
      required(property<spec>{"learner", "{type: name, parameter: value, …}", "",
                              "`random_forest_regressor` or `random_forest_classifier` with scikit-learn's parameter "
                              "names",
                              read_learner}),
      simple<spec>("weight", "column", "none", &spec::weight, &spec_reader::field_name,
                   "how much each row counts in learning, 0 or more; the hold-out is measured without it"),
      simple<spec>(
          "memory", "size", "no limit", &spec::memory,
          [](spec_reader& r, const yaml_node& n) -> std::optional<std::uint64_t> {
            const auto bytes = r.size(n);
            if (!bytes || *bytes >= least_memory)
              return bytes;
            r.problem(n, fmt::format("{} is too small to learn in; write at least 1MiB, or remove the key", n.text));
            return std::nullopt;
          },
          "what the train step may allocate beside the data; fewer threads are used to stay below it"),
      simple<spec>("model", "name", "the Training's", &spec::model, &spec_reader::name, "its name in the registry"),
      section<spec>("retries",
                    {simple<spec>(
                         "max", "0 … 100", "0", &spec::retries,
                         [](spec_reader& r, const yaml_node& n) { return r.integer(n, 0, 100); },
                         "further attempts after a failure"),
                     simple<spec>(
                         "delay", "duration", "10s", &spec::retry_delay,
                         [](spec_reader& r, const yaml_node& n) {
                           return r.time_span(n, duration::zero(), std::chrono::hours{24});
                         },
                         "time between two attempts")},
                    "what to do after a failure"),
      simple<spec>(
          "webhook", "http or https URL", "none", &spec::webhook,
          [](spec_reader& r, const yaml_node& n) -> std::optional<std::string> {
            auto url = r.text(n);
            if (!url || url->empty() || url->starts_with("http://") || url->starts_with("https://"))
              return url;
            r.problem(n, fmt::format("\"{}\" is no http:// or https:// URL", *url));
            return std::nullopt;
          },
          "where start, completion and failure are posted to"),
  };
}

} // namespace

document_kind dataset_kind() {
  return kind_of("Dataset", "Rows of a file.", dataset_properties(), &application_spec::datasets);
}

document_kind training_kind() {
  auto kind = kind_of("Training", "Makes a model of a data set.", training_properties(), &application_spec::trainings);
  kind.read = [read = std::move(kind.read)](const yaml_node& node, const std::string& name, application_spec& into,
                                            spec_reader& reader) {
    read(node, name, into, reader);
    auto& made = into.trainings.back();
    if (made.predicts.empty())
      made.predicts = made.target;
    if (made.holdout_stratify == stratify_by_target)
      made.holdout_stratify = made.target;
    if (made.model.empty())
      made.model = name;
  };
  return kind;
}

} // namespace penstock::runtime
