// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"
#include "base/fault_point.hpp"
#include "runtime/scorer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdlib>
#include <map>

using namespace penstock;
using namespace penstock::runtime;
using testing::HasSubstr;
using testing::StartsWith;

namespace {

constexpr std::size_t largest = std::size_t{1} << 20;
const storage::partition_id from{"houses", 3};

/// Predicts rooms + 10 · age; −1 where a feature is missing.
class sum_model : public ml::model {
public:
  explicit sum_model(double add = 0) : add_(add) {}
  std::string_view type() const override { return "sum"; }
  std::size_t features() const override { return 2; }
  void predict(std::span<const float> rows, std::span<double> out) const override {
    for (std::size_t i = 0; i < out.size(); ++i) {
      const double sum = static_cast<double>(rows[2 * i]) + 10 * static_cast<double>(rows[2 * i + 1]) + add_;
      out[i] = std::isnan(sum) ? -1 : sum;
    }
  }
  std::size_t memory() const override { return sizeof(*this); }

private:
  double add_;
};

ml::field_spec field(const std::string& name, ml::field_type type, bool nullable = false) {
  return {name, type, nullable, {}, {}, {}};
}

ml::schema input_schema() {
  return *ml::schema::make({field("id", ml::field_type::int64), field("age", ml::field_type::float64, true),
                            field("rooms", ml::field_type::float64), field("price", ml::field_type::float64, true),
                            field("town", ml::field_type::string, true)});
}

serving_model model(std::vector<ml::field_spec> features = {field("rooms", ml::field_type::float64),
                                                            field("age", ml::field_type::float64)},
                    double add = 0) {
  auto package = std::make_shared<ml::model_package>();
  package->input = *ml::schema::make(std::move(features));
  package->model = std::make_shared<sum_model>(add);
  return {"prices", 7, 3, "digest", package};
}

stream_spec stream() {
  stream_spec out;
  out.name = "s";
  out.output_topic = "scores";
  out.output_key = "id";
  out.output_fields = {{"id", "id"},
                       {"price", "price"},
                       {"guess", "prediction"},
                       {"error", "guess - price"},
                       {"percent", "error / price * 100"},
                       {"town", "town"}};
  out.evaluate_actual = "price";
  out.evaluate_predicted = "guess";
  return out;
}

std::string house(int id, double rooms, double age, double price, const std::string& rest = "") {
  return fmt::format(R"({{"id":{},"rooms":{},"age":{},"price":{}{}}})", id, rooms, age, price, rest);
}

storage::record_batch batch_of(const std::vector<std::string>& values, std::int64_t first_offset = 100) {
  storage::record_batch out;
  for (std::size_t i = 0; i < values.size(); ++i)
    out.add("k" + std::to_string(i), values[i], storage::encode_headers({{"trace", "t" + std::to_string(i)}}),
            1000 + static_cast<wall_time>(i), first_offset + static_cast<std::int64_t>(2 * i));
  return out;
}

scored_range score(scorer& with, const storage::record_batch& records, const serving_model& by = model(),
                   std::size_t max = largest) {
  auto out = with.score(records, {0, static_cast<std::uint32_t>(records.size())}, from, by, 555, max);
  EXPECT_TRUE(out.ok()) << out.error().text();
  return *std::move(out);
}

/// All output records with their partition, by key.
std::map<std::string, std::pair<std::int32_t, nlohmann::json>> outputs_of(const scored_range& range) {
  std::map<std::string, std::pair<std::int32_t, nlohmann::json>> out;
  for (const auto& output : range.outputs)
    for (std::size_t i = 0; i < output.records.size(); ++i)
      out[std::string(output.records[i].key)] = {output.to.partition, nlohmann::json::parse(output.records[i].value)};
  return out;
}

TEST(scorer, turns_records_into_predictions_with_their_origin) {
  auto made = scorer::make(stream(), input_schema(), 1);
  ASSERT_TRUE(made.ok()) << made.error().text();
  const auto out = score(**made, batch_of({house(4, 2, 3, 40, R"(,"town":"Pisa")"), house(5, 1, 1, 10)}));
  ASSERT_EQ(out.outputs.size(), 1U);
  EXPECT_EQ(out.outputs[0].to, (storage::partition_id{"scores", 0}));
  ASSERT_EQ(out.outputs[0].records.size(), 2U);
  const auto first = out.outputs[0].records[0];
  EXPECT_EQ(first.key, "4");
  EXPECT_EQ(first.value, R"({"id":4,"price":40,"guess":32,"error":-8,"percent":-20,"town":"Pisa"})");
  EXPECT_EQ(first.timestamp, 1000) << "the input's";
  EXPECT_EQ(
      storage::decode_headers(first.headers),
      (storage::header_list{{"model", "prices"}, {"version", "7"}, {"generation", "3"}, {"input", "houses/3/100"}}));
  EXPECT_EQ(storage::find_header(out.outputs[0].records[1].headers, "input"), "houses/3/102");
  EXPECT_EQ(out.scored, 2U);
  EXPECT_EQ(out.nulls, 0U);
  EXPECT_TRUE(out.dead_letters.empty());
  ASSERT_EQ(out.evaluations.size(), 2U);
  EXPECT_EQ(out.evaluations[0].actual, 40);
  EXPECT_EQ(out.evaluations[0].predicted, 32);
  EXPECT_EQ(out.evaluations[1].actual, 10);
}

TEST(scorer, keeps_the_order_within_each_output_partition) {
  auto made = scorer::make(stream(), input_schema(), 8);
  std::vector<std::string> values;
  for (int i = 0; i < 500; ++i)
    values.push_back(house(i % 50, i, 0, 1));
  const auto out = score(**made, batch_of(values));
  std::map<std::string, double> last;
  std::size_t seen = 0;
  for (const auto& output : out.outputs) {
    for (std::size_t i = 0; i < output.records.size(); ++i, ++seen) {
      const auto record = output.records[i];
      EXPECT_EQ(output.to.partition, storage::partition_of(record.key, 8));
      const auto guess = nlohmann::json::parse(record.value)["guess"].get<double>();
      const auto [place, is_first] = last.emplace(std::string(record.key), guess);
      EXPECT_TRUE(is_first || place->second < guess) << record.key;
      place->second = guess;
    }
  }
  EXPECT_EQ(seen, 500U);
  EXPECT_EQ(out.outputs.size(), 8U) << "at most one per partition";
  for (std::size_t i = 0; i < out.evaluations.size(); ++i)
    EXPECT_EQ(out.evaluations[i].predicted, static_cast<double>(i)) << "in input order";
}

TEST(scorer, scores_only_the_range_it_is_given) {
  auto made = scorer::make(stream(), input_schema(), 1);
  const auto records = batch_of({house(0, 1, 1, 1), "broken", house(2, 1, 1, 1), house(3, 1, 1, 1)});
  const auto out = (*made)->score(records, {2, 1}, from, model(), 0, largest);
  ASSERT_TRUE(out.ok());
  EXPECT_EQ(outputs_of(*out).begin()->first, "2");
  EXPECT_EQ(out->scored, 1U);
  EXPECT_TRUE(out->dead_letters.empty());
  EXPECT_EQ((*made)->score(records, {3, 2}, from, model(), 0, largest).error().code(), errc::internal);
  EXPECT_EQ((*made)->score(records, {2, 0xffffffff}, from, model(), 0, largest).error().code(), errc::internal);
}

TEST(scorer, makes_dead_letters_of_records_that_break_the_schema) {
  auto made = scorer::make(stream(), input_schema(), 1);
  auto records = batch_of({house(0, 1, 1, 1), "{\"id\": NaN", R"({"id":1})"});
  records.add_tombstone("gone", {}, 5, 200);
  const auto out = score(**made, records);
  EXPECT_EQ(out.scored, 1U);
  ASSERT_EQ(out.dead_letters.size(), 3U);
  const auto first = out.dead_letters[0];
  EXPECT_EQ(first.key, "k1");
  EXPECT_EQ(first.value, "{\"id\": NaN");
  EXPECT_EQ(first.timestamp, 555);
  EXPECT_THAT(std::string(*storage::find_header(first.headers, "cause")), StartsWith("unparsable JSON: "));
  EXPECT_EQ(storage::find_header(first.headers, "attempts"), "1");
  EXPECT_EQ(storage::find_header(first.headers, "model"), "prices");
  EXPECT_EQ(storage::find_header(first.headers, "version"), "7");
  EXPECT_EQ(storage::find_header(first.headers, "input"), "houses/3/102");
  EXPECT_EQ(storage::find_header(first.headers, "trace"), "t1") << "the original headers stay";
  EXPECT_FALSE(storage::find_header(first.headers, "sha256").has_value());
  EXPECT_EQ(storage::find_header(out.dead_letters[1].headers, "cause"), "field rooms: missing");
  EXPECT_TRUE(out.dead_letters[2].tombstone);
  EXPECT_EQ(out.dead_letters[2].key, "gone");
}

TEST(scorer, counts_what_arithmetic_does_not_define_and_passes_nulls) {
  auto made = scorer::make(stream(), input_schema(), 1);
  const auto out = score(**made, batch_of({house(0, 1, 1, 0), R"({"id":1,"rooms":2,"age":3,"price":null})",
                                           R"({"id":2,"rooms":2,"age":null,"price":4})"}));
  const auto all = outputs_of(out);
  EXPECT_TRUE(all.at("0").second["percent"].is_null());
  EXPECT_EQ(all.at("0").second["error"], 11);
  EXPECT_TRUE(all.at("1").second["error"].is_null());
  EXPECT_EQ(all.at("2").second["guess"], -1) << "a missing feature reaches the model as NaN";
  EXPECT_EQ(out.nulls, 1U) << "division by zero, but not a null that was there before";
  EXPECT_EQ(out.evaluations.size(), 2U);
}

TEST(scorer, never_writes_what_is_not_finite) {
  auto made = scorer::make(stream(), input_schema(), 1);
  const auto out = score(**made, batch_of({house(0, 1, 1, 5)}),
                         model({field("rooms", ml::field_type::float64), field("age", ml::field_type::float64)},
                               std::numeric_limits<double>::infinity()));
  EXPECT_TRUE(outputs_of(out).at("0").second["guess"].is_null());
  EXPECT_TRUE(outputs_of(out).at("0").second["error"].is_null());
  EXPECT_EQ(out.nulls, 1U);
  EXPECT_TRUE(out.evaluations.empty());
}

TEST(scorer, keeps_the_input_s_key_where_no_other_is_chosen) {
  auto spec = stream();
  spec.output_key.clear();
  auto made = scorer::make(spec, input_schema(), 1);
  EXPECT_EQ(outputs_of(score(**made, batch_of({house(9, 1, 1, 1)}))).begin()->first, "k0");
}

TEST(scorer, gives_up_an_output_without_key_or_larger_than_the_log_takes) {
  auto spec = stream();
  spec.output_key = "town";
  auto made = scorer::make(spec, input_schema(), 1);
  const auto keyless = score(**made, batch_of({house(0, 1, 1, 1)}));
  EXPECT_EQ(storage::find_header(keyless.dead_letters[0].headers, "cause"), "the output's key is null");
  const auto large = house(0, 1, 1, 1, R"(,"town":")" + std::string(8000, 'x') + "\"");
  const auto out = score(**made, batch_of({large, house(1, 1, 1, 1, R"(,"town":"y")")}), model(), 12'000);
  EXPECT_EQ(out.scored, 1U);
  EXPECT_EQ(outputs_of(out).begin()->first, "y");
  ASSERT_EQ(out.dead_letters.size(), 1U);
  EXPECT_THAT(std::string(*storage::find_header(out.dead_letters[0].headers, "cause")),
              HasSubstr("larger than the log takes"));
}

TEST(scorer, refuses_what_does_not_fit_together) {
  auto spec = stream();
  spec.output_fields.emplace_back("wrong", "gues * 2");
  EXPECT_THAT(scorer::make(spec, input_schema(), 1).error().text(), HasSubstr("did you mean guess?"));
  spec = stream();
  spec.output_key = "rooms";
  EXPECT_EQ(scorer::make(spec, input_schema(), 1).error().code(), errc::configuration);
  EXPECT_FALSE(scorer::make(stream(), input_schema(), 0).ok());
  auto made = scorer::make(stream(), input_schema(), 1);
  const auto records = batch_of({house(0, 1, 1, 1)});
  const auto missing = (*made)->score(
      records, {0, 1}, from, model({field("room", ml::field_type::float64), field("age", ml::field_type::float64)}), 0,
      largest);
  EXPECT_EQ(missing.error().code(), errc::configuration);
  EXPECT_THAT(missing.error().text(),
              HasSubstr("wants feature room, which is not in the stream's input schema; did you mean rooms?"));
  const auto text =
      (*made)->score(records, {0, 1}, from,
                     model({field("town", ml::field_type::string), field("age", ml::field_type::float64)}), 0, largest);
  EXPECT_THAT(text.error().text(), HasSubstr("must be a number"));
  EXPECT_THAT(
      (*made)->score(records, {0, 1}, from, model({field("age", ml::field_type::float64)}), 0, largest).error().text(),
      HasSubstr("has 2 features, its package names 1"));
}

TEST(scorer, goes_over_to_another_model_between_two_ranges) {
  auto made = scorer::make(stream(), input_schema(), 1);
  const auto records = batch_of({house(0, 2, 3, 1)});
  EXPECT_EQ(outputs_of(score(**made, records)).at("0").second["guess"], 32);
  const auto other = model({field("age", ml::field_type::float64), field("rooms", ml::field_type::float64)});
  EXPECT_EQ(outputs_of(score(**made, records, other)).at("0").second["guess"], 23);
  EXPECT_EQ(outputs_of(score(**made, records)).at("0").second["guess"], 32);
}

TEST(scorer, gives_the_same_whatever_the_range) {
  auto made = scorer::make(stream(), input_schema(), 4);
  std::vector<std::string> values;
  for (int i = 0; i < 40; ++i)
    values.push_back(i % 7 == 0 ? "broken" : house(i, i, i % 5, i % 3, R"(,"town":"\u00e9")"));
  const auto records = batch_of(values);
  const auto whole = score(**made, records);
  std::map<std::string, std::pair<std::int32_t, nlohmann::json>> pieces;
  std::uint64_t nulls = 0, dead = 0;
  for (std::uint32_t first = 0; first < 40; first += 3) {
    const auto piece = (*made)->score(records, {first, std::min(3U, 40 - first)}, from, model(), 0, largest);
    pieces.merge(outputs_of(*piece));
    nulls += piece->nulls;
    dead += piece->dead_letters.size();
  }
  EXPECT_EQ(pieces, outputs_of(whole));
  EXPECT_EQ(nulls, whole.nulls);
  EXPECT_EQ(dead, whole.dead_letters.size());
}

// -- dead letters -----------------------------------------------------------------------

TEST(dead_letter, is_cut_with_length_and_digest) {
  storage::record_batch records;
  const std::string value(5000, 'v');
  records.add("key", value, {}, 1, 42);
  storage::record_batch letters;
  add_dead_letter(letters, records[0], from, {"boom", 3, "m", 9}, 777, 1000);
  EXPECT_EQ(letters[0].value, value.substr(0, 1000));
  EXPECT_EQ(storage::find_header(letters[0].headers, "length"), "5000");
  EXPECT_EQ(storage::find_header(letters[0].headers, "sha256"), sha256_hex(value));
  EXPECT_EQ(storage::find_header(letters[0].headers, "attempts"), "3");
  EXPECT_EQ(storage::find_header(letters[0].headers, "input"), "houses/3/42");
}

TEST(dead_letter, leaves_room_for_its_headers_below_the_log_s_limit) {
  auto made = scorer::make(stream(), input_schema(), 1);
  const auto out = score(**made, batch_of({std::string(100'000, 'x')}), model(), 50'000);
  ASSERT_EQ(out.dead_letters.size(), 1U);
  EXPECT_LE(out.dead_letters.bytes(), 50'000U);
  EXPECT_GT(out.dead_letters[0].value.size(), 45'000U);
}

TEST(dead_letter, cuts_a_long_cause_between_two_characters) {
  storage::record_batch records;
  records.add("key", "v", {}, 1);
  storage::record_batch letters;
  std::string cause;
  while (cause.size() < 3000)
    cause += "é…";
  add_dead_letter(letters, records[0], from, {cause, 1, "", 0}, 0, 10);
  const auto kept = *storage::find_header(letters[0].headers, "cause");
  EXPECT_LE(kept.size(), 1024U);
  EXPECT_NO_THROW((void)nlohmann::json(kept).dump()) << "valid UTF-8";
}

#ifdef PENSTOCK_FAULT_POINTS
TEST(planted_faults, are_planted) {
  // What they do to a stream is tested on real processes; here, that they exist and keep to their key.
  set_faults("predictor.throw_on_key=k1,predictor.drop_on_key=k2,predictor.duplicate_output_on_key=k3");
  auto made = scorer::make(stream(), input_schema(), 1);
  const auto records = batch_of({house(0, 1, 1, 1), house(1, 1, 1, 1), house(2, 1, 1, 1), house(3, 1, 1, 1)});
  EXPECT_THROW((void)(*made)->score(records, {0, 2}, from, model(), 0, largest), std::runtime_error);
  EXPECT_EQ((*made)->score(records, {2, 2}, from, model(), 0, largest)->scored, 2U);
  EXPECT_EQ((*made)->score(records, {2, 1}, from, model(), 0, largest)->scored, 0U);
  set_faults("");
}
#endif

} // namespace
