// SPDX-License-Identifier: Apache-2.0
// Streams whose model classifies.
#include "runtime/scorer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace penstock;
using namespace penstock::runtime;
using testing::AllOf;
using testing::HasSubstr;

namespace {

const storage::partition_id from{"mails", 0};

/// Answers the values of its features as probabilities of as many classes.
class echo_model : public ml::model {
public:
  explicit echo_model(std::size_t classes) : classes_(classes) {}
  std::string_view type() const override { return "echo"; }
  std::size_t features() const override { return classes_; }
  std::size_t outputs() const override { return classes_; }
  void predict(std::span<const float> rows, std::span<double> out) const override {
    std::copy(rows.begin(), rows.end(), out.begin());
  }
  std::size_t memory() const override { return sizeof(*this); }

private:
  std::size_t classes_;
};

ml::field_spec field(const std::string& name, ml::field_type type = ml::field_type::float64, bool nullable = false) {
  return {name, type, nullable, {}, {}, {}};
}

serving_model model(std::vector<std::string> classes, ml::field_type type) {
  auto package = std::make_shared<ml::model_package>();
  std::vector<ml::field_spec> features;
  for (std::size_t i = 0; i < std::max<std::size_t>(classes.size(), 1); ++i)
    features.push_back(field("f" + std::to_string(i)));
  package->model = std::make_shared<echo_model>(features.size());
  package->input = *ml::schema::make(std::move(features));
  auto answer = field("label", type);
  answer.one_of = std::move(classes);
  package->output = *ml::schema::make({answer});
  return {"spam", 2, 1, "digest", package};
}

ml::schema input_schema(ml::field_type truth) {
  return *ml::schema::make(
      {field("f0"), field("f1"), field("f2", ml::field_type::float64, true), field("truth", truth, true)});
}

stream_spec stream(std::vector<std::string> classes, ml::field_type type) {
  stream_spec out;
  out.name = "s";
  out.classes = std::move(classes);
  out.prediction = type;
  out.output_topic = "out";
  out.output_fields = {{"guess", "prediction"}, {"sure", "probability"}};
  out.evaluate_actual = "truth";
  out.evaluate_predicted = "guess";
  return out;
}

struct scored {
  std::vector<std::string> values;
  scored_range range;
};

scored score(const stream_spec& how, const ml::schema& input, const serving_model& by,
             const std::vector<std::string>& records) {
  auto made = scorer::make(how, input, 1);
  EXPECT_TRUE(made.ok()) << made.error().text();
  storage::record_batch batch;
  for (std::size_t i = 0; i < records.size(); ++i)
    batch.add("k" + std::to_string(i), records[i], "", 0, static_cast<std::int64_t>(i));
  auto range =
      (*made)->score(batch, {0, static_cast<std::uint32_t>(records.size())}, from, by, 1, std::size_t{1} << 20);
  EXPECT_TRUE(range.ok()) << range.error().text();
  scored out{{}, *std::move(range)};
  for (const auto& output : out.range.outputs)
    for (std::size_t i = 0; i < output.records.size(); ++i)
      out.values.emplace_back(output.records[i].value);
  return out;
}

std::string refusal(const stream_spec& how, const serving_model& by) {
  auto made = scorer::make(how, input_schema(ml::field_type::int64), 1);
  EXPECT_TRUE(made.ok()) << made.error().text();
  storage::record_batch batch;
  batch.add("k", R"({"f0": 1, "f1": 0})", "", 0, 0);
  const auto range = (*made)->score(batch, {0, 1}, from, by, 1, 1000);
  EXPECT_FALSE(range.ok());
  EXPECT_EQ(range.ok() ? errc::internal : range.error().code(), errc::configuration);
  return range.ok() ? "" : range.error().text();
}

TEST(class_answers, are_the_most_probable_class_and_its_probability) {
  const auto out = score(stream({"0", "1"}, ml::field_type::int64), input_schema(ml::field_type::int64),
                         model({"0", "1"}, ml::field_type::int64),
                         {R"({"f0": 0.75, "f1": 0.25, "truth": 0})", R"({"f0": 0.25, "f1": 0.75, "truth": 0})",
                          R"({"f0": 0.5, "f1": 0.5, "truth": 1})"});
  EXPECT_EQ(out.values, (std::vector<std::string>{R"({"guess":0,"sure":0.75})", R"({"guess":1,"sure":0.75})",
                                                  R"({"guess":0,"sure":0.5})"}))
      << "of equals the first";
  ASSERT_EQ(out.range.class_evaluations.size(), 3U);
  EXPECT_EQ(out.range.class_evaluations[1].actual, 0U);
  EXPECT_EQ(out.range.class_evaluations[1].predicted, 1U);
  EXPECT_EQ(out.range.class_evaluations[1].probability, 0.25) << "of the actual class";
  EXPECT_TRUE(out.range.evaluations.empty());
}

TEST(class_answers, have_the_type_of_the_classes) {
  const auto text =
      score(stream({"ham", "spam"}, ml::field_type::string), input_schema(ml::field_type::string),
            model({"ham", "spam"}, ml::field_type::string), {R"({"f0": 0.1, "f1": 0.9, "truth": "spam"})"});
  EXPECT_EQ(text.values.at(0), R"({"guess":"spam","sure":0.8999999761581421})");
  EXPECT_EQ(text.range.class_evaluations.at(0).actual, 1U);
  const auto flag = score(stream({"false", "true"}, ml::field_type::boolean), input_schema(ml::field_type::boolean),
                          model({"false", "true"}, ml::field_type::boolean), {R"({"f0": 0, "f1": 1, "truth": false})"});
  EXPECT_EQ(flag.values.at(0), R"({"guess":true,"sure":1})");
  EXPECT_EQ(flag.range.class_evaluations.at(0).actual, 0U);
  EXPECT_EQ(flag.range.class_evaluations.at(0).predicted, 1U);
}

TEST(class_answers, name_the_probability_of_each_class_whatever_their_order_in_the_model) {
  auto how = stream({"2", "9", "10"}, ml::field_type::int64);
  how.output_fields = {{"guess", "prediction"},
                       {"ten", "probability_10"},
                       {"two", "probability_2"},
                       {"more", "probability_10 - probability_2"}};
  const auto out = score(how, input_schema(ml::field_type::float64), model({"10", "2", "9"}, ml::field_type::string),
                         {R"({"f0": 0.125, "f1": 0.75, "f2": 0.125, "truth": 9.0})"});
  EXPECT_EQ(out.values.at(0), R"({"guess":2,"ten":0.125,"two":0.75,"more":-0.625})");
  ASSERT_EQ(out.range.class_evaluations.size(), 1U);
  EXPECT_EQ(out.range.class_evaluations[0].actual, 1U) << "9 is the second of the stream's classes";
  EXPECT_EQ(out.range.class_evaluations[0].predicted, 0U);
  EXPECT_EQ(out.range.class_evaluations[0].probability, 0.125);
}

TEST(class_answers, do_not_judge_a_record_whose_truth_is_no_class) {
  const auto out = score(stream({"0", "1"}, ml::field_type::int64), input_schema(ml::field_type::float64),
                         model({"0", "1"}, ml::field_type::int64),
                         {R"({"f0": 1, "f1": 0, "truth": 7})", R"({"f0": 1, "f1": 0, "truth": 0.5})",
                          R"({"f0": 1, "f1": 0})", R"({"f0": 1, "f1": 0, "truth": 1e300})"});
  EXPECT_EQ(out.range.scored, 4U);
  EXPECT_TRUE(out.range.class_evaluations.empty());
}

TEST(class_answers, refuse_a_model_of_other_classes_and_name_both) {
  EXPECT_THAT(refusal(stream({"0", "1"}, ml::field_type::int64), model({"0", "2"}, ml::field_type::int64)),
              AllOf(HasSubstr("model spam version 2"), HasSubstr("0, 2"), HasSubstr("0, 1")));
  EXPECT_THAT(refusal(stream({"0", "1"}, ml::field_type::int64), model({}, ml::field_type::float64)),
              AllOf(HasSubstr("predicts a number"), HasSubstr("0, 1")));
  auto numbers = stream({}, ml::field_type::float64);
  numbers.output_fields = {{"guess", "prediction"}};
  EXPECT_THAT(refusal(numbers, model({"0", "1"}, ml::field_type::int64)),
              AllOf(HasSubstr("declares no classes"), HasSubstr("0, 1")));
}

TEST(class_answers, suggest_the_name_that_was_meant) {
  auto how = stream({"0", "1"}, ml::field_type::int64);
  how.output_fields = {{"p", "probabilty_1"}};
  const auto made = scorer::make(how, input_schema(ml::field_type::int64), 1);
  ASSERT_FALSE(made.ok());
  EXPECT_THAT(made.error().text(), HasSubstr("did you mean probability_1?"));
  how.output_fields = {{"p", "probability_2"}};
  EXPECT_FALSE(scorer::make(how, input_schema(ml::field_type::int64), 1).ok());
}

TEST(class_answers, refuse_a_schema_with_a_field_of_their_name) {
  const auto how = stream({"0", "1"}, ml::field_type::int64);
  for (const char* name : {"prediction", "probability", "probability_1"}) {
    const auto made = scorer::make(how, *ml::schema::make({field("truth"), field(name)}), 1);
    ASSERT_FALSE(made.ok()) << name;
    EXPECT_THAT(made.error().text(), HasSubstr(name));
  }
}

} // namespace
