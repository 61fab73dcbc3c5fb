// SPDX-License-Identifier: Apache-2.0
#include "base/file.hpp"
#include "runtime/application.hpp"
#include "runtime/application_kinds.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

using namespace penstock;
using namespace penstock::runtime;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

namespace {

using variables = std::map<std::string, std::string>;

result<application_spec> parse(std::string_view yaml, const variables& set = {}) {
  return parse_application(yaml, "/somewhere/app.yaml", [&set](const std::string& name) {
    const auto found = set.find(name);
    return found == set.end() ? std::nullopt : std::optional(found->second);
  });
}

/// All that is wrong with a text; empty when nothing is.
std::string mistakes(std::string_view yaml, const variables& set = {}) {
  const auto read = parse(yaml, set);
  if (read)
    return {};
  EXPECT_EQ(read.error().code(), errc::configuration);
  return read.error().text();
}

/// A document in one line of YAML, so that tests can count lines: document n stands on line n.
std::string document(const std::string& kind, const std::string& name, const std::string& spec) {
  return "--- {apiVersion: penstock/v1, kind: " + kind + ", metadata: {name: " + name + "}, spec: " + spec + "}\n";
}

const std::string application = document("Application", "app", "{}");
const std::string topics = document("Topic", "in", "{partitions: 4}") + document("Topic", "out", "{}");
const std::string schema =
    document("Schema", "rows", "{fields: [{name: id, type: int64}, {name: a, type: float64, nullable: true}]}");
const std::string before_stream = application + topics + schema; // lines 1 to 4
const std::string good_stream = document("Stream", "s",
                                         "{input: {topic: in, schema: rows, from: earliest}, model: m, output: {topic: "
                                         "out, key: id, fields: {id: id, twice: prediction * 2}}}");

/// The stream of `good_stream` with one piece of text replaced by another.
std::string stream_with(const std::string& piece, const std::string& replacement) {
  auto text = good_stream;
  const auto at = text.find(piece);
  EXPECT_NE(at, std::string::npos) << piece;
  return before_stream + text.replace(at, piece.size(), replacement);
}

// -- the file that ships ------------------------------------------------------------

TEST(application, reads_the_house_prices_that_ship) {
  const auto read = load_application("pipelines/house-prices.yaml", [](const std::string&) { return std::nullopt; });
  ASSERT_TRUE(read.ok()) << read.error().text();
  EXPECT_EQ(read->name, "house-prices");
  EXPECT_EQ(read->bootstrap_servers, "");
  EXPECT_EQ(read->models, "");
  EXPECT_EQ(read->connect.attempts, 10U);
  EXPECT_EQ(read->connect.delay, duration(5s));
  EXPECT_EQ(read->stop_when.records, 4128U);
  EXPECT_EQ(read->stop_when.idle, duration(30s));
  EXPECT_EQ(read->stop_when.time, duration(120s));
  ASSERT_EQ(read->topics.size(), 3U);
  EXPECT_EQ(read->topics[2].name, "house-prices.dead-letters");
  EXPECT_EQ(read->topics[2].partitions, 4);
  EXPECT_EQ(read->find_schema("house")->size(), 10U);
  const auto* data = read->find_dataset("streaming-part");
  EXPECT_EQ(data->path, std::filesystem::current_path() / "data/california_housing.csv");
  EXPECT_TRUE(data->split->test_part);
  EXPECT_DOUBLE_EQ(data->split->test_size, 0.2);
  EXPECT_FALSE(read->find_dataset("training-part")->split->test_part);
  EXPECT_EQ(read->trainings[0].learner.parameters.at("max_features"), "all");
  EXPECT_EQ(read->trainings[0].predicts, "price");
  EXPECT_EQ(read->sources[0].record.front(), (std::pair<std::string, std::string>("id", "$index")));
  EXPECT_EQ(read->sources[0].interval, duration(2222222));
  const auto* stream = read->find_stream("house-prices");
  EXPECT_EQ(stream->commit_interval, duration(100ms));
  EXPECT_EQ(stream->output_fields[4].second, "error / actual_price * 100");
  EXPECT_EQ(stream->alias, "champion");
}

TEST(application, reads_the_heart_disease_that_ships) {
  const auto read = load_application("pipelines/heart-disease.yaml", [](const std::string&) { return std::nullopt; });
  ASSERT_TRUE(read.ok()) << read.error().text();
  EXPECT_EQ(read->find_dataset("streaming-part")->split->stratify, "target");
  EXPECT_EQ(read->trainings[0].holdout_stratify, "target");
  EXPECT_EQ(read->find_stream("heart-disease")->classes, (std::vector<std::string>{"0", "1"}));
}

TEST(application, keeps_the_reference_for_people_the_same_as_the_reader) {
  const auto page = read_file("pipelines/README.md");
  ASSERT_TRUE(page.ok());
  EXPECT_THAT(*page, HasSubstr(application_reference()))
      << "pipelines/README.md must contain the tables of application_reference()";
}

TEST(application, that_is_missing_is_not_found) {
  const auto read = load_application("/nowhere/app.yaml", environment());
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code(), errc::not_found);
}

// -- defaults and forms --------------------------------------------------------------

TEST(application, fills_in_defaults) {
  const auto read = parse(before_stream + good_stream);
  ASSERT_TRUE(read.ok()) << read.error().text();
  const auto& stream = read->streams[0];
  EXPECT_EQ(stream.dead_letters, "s.dead-letters");
  EXPECT_EQ(stream.commit_records, 10'000U);
  EXPECT_EQ(stream.watchdog, duration(10s));
  EXPECT_EQ(stream.on_gap, on_gap::fail);
  EXPECT_EQ(read->find_topic("s.dead-letters")->partitions, 4);
  EXPECT_EQ(read->file, "/somewhere/app.yaml");
}

TEST(application, starts_a_stream_where_it_is_told) {
  const auto from = [](const std::string& where) {
    const auto read = parse(stream_with("from: earliest", "from: " + where));
    EXPECT_TRUE(read.ok()) << read.error().text();
    return std::pair(read->streams[0].from, read->streams[0].from_value);
  };
  EXPECT_EQ(from("latest"), (std::pair<start_from, std::int64_t>(start_from::latest, 0)));
  EXPECT_EQ(from("{offset: 17}"), (std::pair<start_from, std::int64_t>(start_from::offset, 17)));
  EXPECT_EQ(from("{time: 2026-01-31T12:00:00Z}"),
            (std::pair<start_from, std::int64_t>(start_from::time, 1'769'860'800'000)));
  EXPECT_EQ(from("{time: 2024-02-29T23:59:59.250Z}"),
            (std::pair<start_from, std::int64_t>(start_from::time, 1'709'251'199'250)));
  for (const auto* wrong : {"{time: 2026-02-29T12:00:00Z}", "{time: 2026-01-31 12:00}", "{time: 2026-01-31T24:00:00Z}",
                            "{offset: -1}", "{offset: 1, time: 2026-01-31T12:00:00Z}", "earlyest", "[1]"})
    EXPECT_THAT(mistakes(stream_with("from: earliest", std::string("from: ") + wrong)), HasSubstr("app.yaml:5: "))
        << wrong;
}

TEST(application, takes_an_interval_or_a_rate_but_not_both) {
  const auto data = document("Dataset", "d", "{path: x.csv}");
  const auto source = [&](const std::string& pace) {
    return application + topics + data +
           document("Source", "src", "{dataset: d, topic: in, key: id, record: {id: $index}" + pace + "}");
  };
  EXPECT_EQ(parse(source(", interval: 250ms"))->sources[0].interval, duration(250ms));
  EXPECT_EQ(parse(source(", rate: 6000/m"))->sources[0].interval, duration(10ms));
  EXPECT_EQ(parse(source(""))->sources[0].interval, duration(2s));
  EXPECT_EQ(parse(source(", interval: 0s, limit: 7"))->sources[0].limit, 7U);
  EXPECT_THAT(mistakes(source(", interval: 1s, rate: 5/s")),
              HasSubstr("app.yaml:5: Source src: rate: cannot be given together"));
  EXPECT_THAT(mistakes(source(", rate: 5")), HasSubstr("is not a rate"));
  EXPECT_THAT(mistakes(source(", limit: 0")), HasSubstr("limit: \"0\" is no whole number of at least 1"));
}

// -- mistakes ------------------------------------------------------------------------

TEST(application, reports_every_mistake_with_its_line_and_a_suggestion) {
  const auto text = mistakes("apiVersion: penstock/v1\n"
                             "kind: Application\n"
                             "metadata: {name: House}\n"
                             "spec:\n"
                             "  lgo: {}\n"
                             "  stop_when: {any: [{records: many}, {idle: 30}, {tiem: 1s}]}\n"
                             "---\n"
                             "apiVersion: penstock/v1\n"
                             "kind: Topci\n"
                             "metadata: {name: t}\n"
                             "---\n"
                             "apiVersion: penstock/v1\n"
                             "kind: Schema\n"
                             "metadata: {name: rows}\n"
                             "spec:\n"
                             "  fields:\n"
                             "    - {name: a, type: flaot64}\n");
  EXPECT_THAT(text, HasSubstr("app.yaml:3: document 1: metadata.name: \"House\" is no name"));
  EXPECT_THAT(text, HasSubstr("app.yaml:5: "));
  EXPECT_THAT(text, HasSubstr("unknown key \"lgo\"; did you mean log?"));
  EXPECT_THAT(text, HasSubstr("app.yaml:6: "));
  EXPECT_THAT(text, HasSubstr("records: \"many\" is no whole number"));
  EXPECT_THAT(text, HasSubstr("idle: \"30\" is not a duration"));
  EXPECT_THAT(text, HasSubstr("unknown key \"tiem\"; did you mean time?"));
  EXPECT_THAT(text, HasSubstr("app.yaml:9: document 2: unknown kind \"Topci\"; did you mean Topic?"));
  EXPECT_THAT(text,
              HasSubstr("app.yaml:17: Schema rows: fields[0].type: \"flaot64\" must be int64, float64, boolean or "
                        "string; did you mean float64?"));
}

TEST(application, refuses_keys_and_names_that_occur_twice) {
  EXPECT_THAT(
      mistakes(application + "--- {apiVersion: penstock/v1,\n kind: Topic,\n kind: Topic, metadata: {name: t}}"),
      HasSubstr("app.yaml:4: key kind was already given on line 3"));
  EXPECT_THAT(mistakes(application + topics + document("Topic", "in", "{}")),
              HasSubstr("app.yaml:4: Topic in: a Topic of that name is already declared on line 2"));
  EXPECT_THAT(mistakes(application + application), HasSubstr("there is more than one document of kind Application"));
  EXPECT_THAT(
      mistakes(application + document("Schema", "r", "{fields: [{name: a, type: int64}, {name: a, type: int64}]}")),
      HasSubstr("field a is already declared on line 2"));
  EXPECT_THAT(mistakes(document("Application", "a", "{stop_when: {any: [{time: 1s}, {time: 2s}]}}")),
              HasSubstr("given twice"));
}

TEST(application, refuses_wrong_types_units_and_bounds) {
  const auto topic = [](const std::string& spec) { return mistakes(application + document("Topic", "t", spec)); };
  EXPECT_THAT(topic("{partitions: 0}"), HasSubstr("partitions: \"0\" is no whole number from 1 to 1024"));
  EXPECT_THAT(topic("{partitions: 4.0}"), HasSubstr("no whole number"));
  EXPECT_THAT(topic("{partitions: [1]}"), HasSubstr("partitions: must be a value, not a list"));
  EXPECT_THAT(topic("{partitions: }"), HasSubstr("partitions: has no value"));
  EXPECT_THAT(topic("{retention: 7}"), HasSubstr("is not a duration"));
  EXPECT_THAT(topic("{retention_bytes: 1XB}"), HasSubstr("is not a size"));
  EXPECT_THAT(topic("{compacted: yes}"), HasSubstr("\"yes\" is neither true nor false"));
  EXPECT_THAT(topic("[1, 2]"), HasSubstr("must be a mapping, not a list"));
  EXPECT_THAT(mistakes(application + "--- [1]\n"), HasSubstr("app.yaml:2: document 2: must be a mapping"));
  EXPECT_THAT(mistakes("--- {apiVersion: penstock/v2, kind: Application, metadata: {name: a}}"),
              HasSubstr("apiVersion \"penstock/v2\" is not known; write penstock/v1"));
  EXPECT_THAT(mistakes(application + "--- {apiVersion: penstock/v1, kind: Topic}"), HasSubstr("needs metadata"));
  const auto field = [](const std::string& rest) {
    return mistakes(application + document("Schema", "r", "{fields: [{name: a, " + rest + "}]}"));
  };
  EXPECT_THAT(field("type: int64, min: 3, max: 2"), HasSubstr("min 3 above max 2"));
  EXPECT_THAT(field("type: string, min: 3"), HasSubstr("cannot have min or max"));
  EXPECT_THAT(field("type: int64, min: inf"), HasSubstr("\"inf\" is no number"));
  EXPECT_THAT(field("type: int64, one_of: []"), HasSubstr("allows nothing"));
  EXPECT_THAT(
      mistakes(application + document("Dataset", "d", "{path: x, split: {test_size: 100%, seed: 1, part: test}}")),
      HasSubstr("leaves one side empty"));
  EXPECT_THAT(mistakes(application + document("Dataset", "d", "{path: x, delimiter: ab}")),
              HasSubstr("must be one ASCII character"));
}

TEST(application, checks_references_between_documents) {
  EXPECT_THAT(mistakes(stream_with("topic: in", "topic: ni")),
              HasSubstr("app.yaml:5: Stream s: input.topic: no Topic is called ni; did you mean in?"));
  EXPECT_THAT(mistakes(stream_with("schema: rows", "schema: row")),
              HasSubstr("no Schema is called row; did you mean rows?"));
  EXPECT_THAT(mistakes(stream_with("topic: out", "topic: in")), HasSubstr("is also the input"));
  EXPECT_THAT(mistakes(stream_with("model: m,", "model: m, shards: 5,")),
              HasSubstr("5 are more than the 4 partitions"));
  EXPECT_THAT(mistakes(stream_with("model: m,", "model: m, dead_letters: out,")),
              HasSubstr("must be a topic of its own"));
  EXPECT_THAT(
      mistakes(application + document("Source", "src", "{dataset: d, topic: t, key: ix, record: {id: $index}}")),
      testing::AllOf(HasSubstr("no Dataset is called d"), HasSubstr("no Topic is called t"),
                     HasSubstr("key: ix is no field of the record; did you mean id?")));
}

TEST(application, checks_expressions_keys_and_evaluations) {
  EXPECT_THAT(mistakes(stream_with("prediction * 2", "prediktion * 2")),
              HasSubstr("app.yaml:5: Stream s: output.fields.twice: expression \"prediktion * 2\": there is no field "
                        "prediktion here; did you mean prediction?"));
  EXPECT_THAT(mistakes(stream_with("key: id", "key: idd")),
              HasSubstr("output.key: idd is no field of the output; did you mean id?"));
  EXPECT_THAT(mistakes(stream_with("model: m,", "model: m, evaluate: {actual: b, predicted: twice},")),
              HasSubstr("evaluate.actual: b is neither a field of the output nor of the input"));
  EXPECT_THAT(mistakes(stream_with("model: m,", "model: m, evaluate: {actual: a},")), HasSubstr("needs predicted"));
  EXPECT_EQ(mistakes(stream_with("model: m,", "model: m, evaluate: {actual: a, predicted: twice},")), "");
}

TEST(application, reads_the_classes_of_a_stream_in_order_and_with_their_type) {
  const auto classes = [](const std::string& list) {
    const auto read = parse(stream_with("model: m,", "model: m, classes: " + list + ","));
    EXPECT_TRUE(read.ok()) << read.error().text();
    return std::pair(read->streams[0].classes, read->streams[0].prediction);
  };
  using answer = std::pair<std::vector<std::string>, ml::field_type>;
  EXPECT_EQ(classes("[10, -1, 9]"), (answer({"-1", "9", "10"}, ml::field_type::int64)));
  EXPECT_EQ(parse(before_stream + good_stream)->streams[0].prediction, ml::field_type::float64);
  const auto typed = [](const std::string& list) {
    return stream_with("model: m, output: {topic: out, key: id, fields: {id: id, twice: prediction * 2}}",
                       "model: m, classes: " + list + ", output: {topic: out, fields: {guess: prediction}}");
  };
  EXPECT_EQ(parse(typed("[true, false]"))->streams[0].prediction, ml::field_type::boolean);
  EXPECT_EQ(parse(typed("[spam, Ham, ok]"))->streams[0].classes, (std::vector<std::string>{"Ham", "ok", "spam"}));
  EXPECT_EQ(parse(typed("[spam, ham]"))->streams[0].prediction, ml::field_type::string);
  EXPECT_EQ(parse(typed("[1, 02]"))->streams[0].prediction, ml::field_type::string) << "02 is no integer's text";
}

TEST(application, checks_the_classes_of_a_stream) {
  const auto with = [](const std::string& list) {
    return mistakes(stream_with("model: m,", "model: m, " + list + ","));
  };
  EXPECT_THAT(with("classes: [1]"), HasSubstr("classes: needs 2 to 1024 classes"));
  EXPECT_THAT(with("classes: [0, 1, 0]"), HasSubstr("0 occurs twice"));
  EXPECT_THAT(with("classes: 2"), HasSubstr("must be a list"));
  EXPECT_THAT(with("classes: [yes, no]"), HasSubstr("cannot be reckoned with")) << "prediction * 2";
  EXPECT_THAT(with("evaluate: {actual: a, predicted: twice}, classes: [spam, ham]"),
              HasSubstr("evaluate.actual: a is a float64, the classes ham, spam are strings"));
  EXPECT_EQ(with("evaluate: {actual: a, predicted: twice}, classes: [0, 1]"), "");
  EXPECT_THAT(mistakes(stream_with("prediction * 2", "probability_1")), HasSubstr("there is no field probability_1"));
}

TEST(application, checks_classes_against_the_training_of_the_model) {
  const auto training = [](const std::string& learner) {
    return document("Dataset", "d", "{path: x.csv}") +
           document("Training", "t",
                    "{dataset: d, features: [a], target: y, model: m, learner: {type: " + learner + "}}");
  };
  EXPECT_THAT(mistakes(before_stream + training("random_forest_classifier") + good_stream),
              HasSubstr("Stream s: classes: model m is a classifier (Training t); list what it tells apart"));
  EXPECT_THAT(mistakes(stream_with("model: m,", "model: m, classes: [0, 1],") + training("random_forest_regressor")),
              HasSubstr("Stream s: classes: model m predicts numbers (Training t, random_forest_regressor)"));
  EXPECT_EQ(mistakes(stream_with("model: m,", "model: m, classes: [0, 1],") + training("random_forest_classifier")),
            "");
}

TEST(application, reads_stratification_weights_and_the_budget_of_a_training) {
  const auto read = parse(
      application +
      document("Dataset", "d", "{path: x.csv, split: {test_size: 20%, seed: 1, part: train, stratify: s}}") +
      document("Training", "t",
               "{dataset: d, features: [a], target: y, weight: w, memory: 2GiB, holdout: {stratify: true}, learner: "
               "{type: random_forest_classifier, class_weight: {no: 1, yes: 2.5}, oob_score: true}}"));
  ASSERT_TRUE(read.ok()) << read.error().text();
  EXPECT_EQ(read->datasets[0].split->stratify, "s");
  const auto& training = read->trainings[0];
  EXPECT_EQ(training.holdout_stratify, "y") << "true is the target";
  EXPECT_EQ(training.weight, "w");
  EXPECT_EQ(training.memory, std::uint64_t{2} << 30);
  EXPECT_EQ(training.learner.parameters.at("class_weight"), "no: 1, yes: 2.5");
}

TEST(application, checks_weights_of_classes_and_the_budget) {
  const auto with = [](const std::string& rest, const std::string& learner) {
    return mistakes(application + document("Dataset", "d", "{path: x.csv}") +
                    document("Training", "t",
                             "{dataset: d, features: [a], target: y, " + rest + "learner: {type: " + learner + "}}"));
  };
  EXPECT_THAT(with("memory: 2,", "random_forest_classifier"), HasSubstr("memory"));
  EXPECT_THAT(with("memory: 10KiB,", "random_forest_classifier"), HasSubstr("10KiB is too small to learn in"));
  EXPECT_THAT(with("weight: y,", "random_forest_classifier"), HasSubstr("weight: y is also the target"));
  EXPECT_THAT(with("", "random_forest_classifier, class_weight: {no: many}"), HasSubstr("\"many\" is no number"));
  EXPECT_THAT(with("", "random_forest_classifier, class_weight: heavy"), HasSubstr("balanced"));
  EXPECT_THAT(with("", "random_forest_classifier, class_weight: {}"), HasSubstr("class_weight"));
  EXPECT_THAT(with("", "random_forest_regressor, class_weight: balanced"), HasSubstr("class_weight"));
  EXPECT_EQ(with("", "random_forest_classifier, class_weight: balanced"), "");
}

TEST(application, gives_an_expression_in_block_style_its_own_line) {
  const auto text =
      mistakes(before_stream + "---\napiVersion: penstock/v1\nkind: Stream\nmetadata: {name: s}\nspec:\n"
                               "  input: {topic: in, schema: rows, from: earliest}\n  model: m\n  output:\n"
                               "    topic: out\n    fields:\n      one: a\n      two: a +\n");
  EXPECT_THAT(text, HasSubstr("app.yaml:16: Stream s: output.fields.two: expression \"a +\": a value is missing"));
}

TEST(application, checks_trainings_against_learners_and_schemas) {
  const auto training = [](const std::string& rest) {
    return before_stream + good_stream + document("Dataset", "d", "{path: x.csv}") +
           document("Training", "m", "{dataset: d, " + rest + "}");
  };
  const std::string learner = ", learner: {type: random_forest_regressor}";
  EXPECT_EQ(mistakes(training("features: [a], target: t" + learner)), "");
  EXPECT_EQ(parse(training("features: [a], target: t" + learner))->trainings[0].predicts, "t");
  EXPECT_EQ(parse(training("features: [a], target: t" + learner))->trainings[0].model, "m");
  EXPECT_THAT(mistakes(training("features: [aa], target: t" + learner)),
              HasSubstr("app.yaml:7: Training m: features: aa is not in schema rows of stream s; did you mean a?"));
  EXPECT_THAT(mistakes(training("features: [a], target: a" + learner)), HasSubstr("a is also a feature"));
  EXPECT_THAT(mistakes(training("features: [a, a], target: t" + learner)), HasSubstr("a occurs twice"));
  EXPECT_THAT(mistakes(training("features: [a], target: t, learner: {type: random_forest_regresor}")),
              HasSubstr("did you mean"));
  EXPECT_THAT(mistakes(training("features: [a], target: t, learner: {type: random_forest_regressor, max_dept: 3}")),
              HasSubstr("did you mean max_depth?"));
  EXPECT_THAT(mistakes(training("features: [a], target: t, webhook: ftp://x" + learner)),
              HasSubstr("no http:// or https://"));
}

TEST(application, checks_the_partitions_of_a_declared_dead_letter_topic) {
  EXPECT_THAT(mistakes(before_stream + good_stream + document("Topic", "s.dead-letters", "{partitions: 3}")),
              HasSubstr("topic s.dead-letters has 3 partitions, the input has 4"));
  const auto read =
      parse(before_stream + good_stream + document("Topic", "s.dead-letters", "{partitions: 4, retention: 7d}"));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->topics.size(), 3U);
}

TEST(application, refuses_a_schema_field_called_prediction) {
  EXPECT_THAT(
      mistakes(application + topics +
               document("Schema", "rows", "{fields: [{name: id, type: int64}, {name: prediction, type: float64}]}") +
               good_stream),
      HasSubstr("has a field called prediction"));
}

// -- variables -------------------------------------------------------------------------

TEST(application, replaces_variables_anywhere_in_a_value) {
  const auto servers = [](const std::string& text, const variables& set = {}) {
    const auto read = parse(document("Application", "app", "{log: {bootstrap_servers: \"" + text + "\"}}"), set);
    EXPECT_TRUE(read.ok()) << read.error().text();
    return read.ok() ? read->bootstrap_servers : "";
  };
  EXPECT_EQ(servers("${HOST}", {{"HOST", "k:9092"}}), "k:9092");
  EXPECT_EQ(servers("a-${HOST:none}-${PORT:1}z", {{"PORT", "2"}}), "a-none-2z");
  EXPECT_EQ(servers("${HOST:}"), "");
  EXPECT_EQ(servers("${HOST:a:b}"), "a:b");
  EXPECT_EQ(servers("$$ $${HOST} $index 5$"), "$ ${HOST} $index 5$");
  EXPECT_EQ(servers("${HOST}", {{"HOST", "${PORT}"}}), "${PORT}") << "what is replaced is not looked at again";
}

TEST(application, reads_files_into_values) {
  const auto file = std::filesystem::temp_directory_path() / "penstock-application-test.txt";
  ASSERT_TRUE(write_file_atomically(file, "k1:9092\n").ok());
  const auto read =
      parse(document("Application", "app", "{log: {bootstrap_servers: \"<${file:" + file.string() + "}>\"}}"));
  std::filesystem::remove(file);
  ASSERT_TRUE(read.ok()) << read.error().text();
  EXPECT_EQ(read->bootstrap_servers, "<k1:9092>");
  EXPECT_THAT(mistakes(document("Application", "app", "{models: \"${file:none.txt}\"}")),
              testing::AllOf(HasSubstr("app.yaml:1: ${file:none.txt}"), HasSubstr("/somewhere/none.txt")));
}

TEST(application, names_variables_that_are_not_set) {
  EXPECT_THAT(mistakes(application + document("Topic", "t", "{partitions: \"${COUNT}\"}")),
              HasSubstr("app.yaml:2: variable COUNT is not set and has no default"));
  EXPECT_THAT(mistakes(document("Application", "app", "{models: \"${COUNT\"}")), HasSubstr("without a closing"));
  EXPECT_THAT(mistakes(document("Application", "app", "{models: \"${a b}\"}")), HasSubstr("names no variable"));
  EXPECT_EQ(parse(application + document("Topic", "t", "{partitions: \"${COUNT:3}\"}"))->topics[0].partitions, 3);
}

// -- hostile and empty files -------------------------------------------------------------

TEST(application, refuses_empty_and_broken_files) {
  EXPECT_THAT(mistakes(""), HasSubstr("app.yaml:1: declares nothing"));
  EXPECT_THAT(mistakes("# only a comment\n---\n---\n"), HasSubstr("declares nothing"));
  EXPECT_THAT(mistakes("a: [1\nb: }"), HasSubstr("not YAML"));
  EXPECT_THAT(mistakes("a:\n\t- b"), HasSubstr("not YAML"));
  EXPECT_THAT(mistakes(topics), HasSubstr("there is no document of kind Application"));
  EXPECT_THAT(mistakes("--- {[1]: 2}"), HasSubstr("a key must be plain text"));
  EXPECT_THAT(mistakes("--- {apiVersion: !!python/object:os.system penstock/v1}"), Not(""));
  EXPECT_THAT(mistakes("--- !include other.yaml"), HasSubstr("tag !include means nothing here"));
}

TEST(application, survives_bombs) {
  std::string aliases = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c <= 'j'; ++c) {
    aliases += std::string(1, c) + ": &" + c + " [";
    for (int i = 0; i < 10; ++i)
      aliases += (i > 0 ? ", *" : "*") + std::string(1, static_cast<char>(c - 1));
    aliases += "]\n";
  }
  EXPECT_THAT(mistakes(aliases), HasSubstr("more than 100000 values"));
  EXPECT_THAT(mistakes("a: &a [*a]"), testing::AnyOf(HasSubstr("alias"), HasSubstr("anchor")));
  EXPECT_THAT(mistakes("a: " + std::string(100, '[') + std::string(100, ']')),
              HasSubstr("nested deeper than 32 levels"));
  EXPECT_THAT(mistakes(std::string(100'000, '[')), HasSubstr("app.yaml:1: "));
  EXPECT_THAT(mistakes(std::string((std::size_t{16} << 20) + 1, '#')), HasSubstr("larger than 16777216 bytes"));
  std::string doubled = "x: \"";
  for (int i = 0; i < 200; ++i)
    doubled += "${BIG}";
  EXPECT_THAT(mistakes(doubled + "\"", {{"BIG", std::string(100'000, 'x')}}), HasSubstr("longer than"));
}

TEST(application, accepts_anchors_and_aliases) {
  const auto read = parse("--- {apiVersion: penstock/v1, kind: Application, metadata: &m {name: app}}\n" +
                          document("Topic", "t", "{partitions: &n 4, replication: *n}"));
  ASSERT_TRUE(read.ok()) << read.error().text();
  EXPECT_EQ(read->topics[0].replication, 4);
}

TEST(application, reports_at_most_fifty_mistakes) {
  std::string text = "--- {apiVersion: penstock/v1, kind: Application, metadata: {name: a}, spec: {";
  for (int i = 0; i < 80; ++i)
    text += fmt::format("unknown{}: 1, ", i);
  EXPECT_THAT(mistakes(text + "}}"), HasSubstr("… and 30 more"));
}

} // namespace
