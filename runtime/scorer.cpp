// SPDX-License-Identifier: Apache-2.0
#include "runtime/scorer.hpp"

#include "base/spelling.hpp"
#include "runtime/class_answers.hpp"
#include "runtime/json_decoder.hpp"
#include "runtime/json_encoder.hpp"
#include "runtime/planted_faults.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <limits>

namespace penstock::runtime {

namespace {

/// CPU time of this thread.
duration cpu_time() {
  timespec now{};
  (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds{now.tv_sec} + duration{now.tv_nsec};
}

/// Headers of the output records of one range: the same but for the offset at their end.
class output_headers {
public:
  output_headers(const serving_model& model, const storage::partition_id& from) {
    storage::add_header(bytes_, "model", model.name);
    storage::add_header(bytes_, "version", std::to_string(model.version));
    storage::add_header(bytes_, "generation", std::to_string(model.generation));
    shared_ = bytes_.size();
    place_ = from.text() + "/";
    place_length_ = place_.size();
  }

  [[nodiscard]] const std::string& of(std::int64_t offset) {
    char digits[24];
    place_.resize(place_length_);
    place_.append(digits, std::to_chars(digits, digits + sizeof(digits), offset).ptr);
    bytes_.resize(shared_);
    storage::add_header(bytes_, "input", place_);
    return bytes_;
  }

private:
  std::string bytes_;
  std::string place_;
  std::size_t shared_ = 0;
  std::size_t place_length_ = 0;
};

} // namespace

std::vector<expression_input> expression_inputs(const ml::schema& input, const stream_spec& stream) {
  std::vector<expression_input> out;
  for (const auto& field : input.fields())
    out.push_back({field.name, field.type});
  out.push_back({prediction_field, stream.prediction});
  if (!stream.classes.empty())
    out.push_back({probability_field, ml::field_type::float64});
  for (const auto& name : stream.classes)
    out.push_back({fmt::format("{}_{}", probability_field, name), ml::field_type::float64});
  return out;
}

// Cells of a record lie in one row: the input's fields, what the model answered, the output's fields.
struct scorer::content {
  content(const ml::schema& input_schema, const stream_spec& stream)
      : input(input_schema), decoder(input_schema), classes(stream) {}

  ml::schema input;
  json_decoder decoder;
  class_answers classes;
  std::size_t first_output = 0; ///< slot of the first field of the output
  std::vector<expression> expressions;
  std::unique_ptr<json_encoder> encoder;
  std::optional<std::size_t> key_slot; ///< none = the input's key
  std::optional<std::size_t> actual_slot;
  std::optional<std::size_t> predicted_slot;
  std::string output_topic;
  std::int32_t output_partitions = 1;
  std::size_t width = 0; ///< cells of a row

  // -- the model's features, found once for each model --------------------------
  std::string features_of; ///< digest of the package
  std::shared_ptr<const ml::model_package> package;
  std::vector<std::size_t> features; ///< slots in the model's order

  // -- scratch, kept between calls ------------------------------------------------
  std::vector<cell> cells;                    ///< a row for each decoded record
  std::vector<std::uint32_t> rows;            ///< index in the batch of each decoded record
  std::vector<float> matrix;                  ///< n×d
  std::vector<double> predictions;            ///< n×outputs of the model
  std::vector<storage::record_batch> outputs; ///< one for each output partition
  std::string key;
  std::string cause;

  status choose_features(const serving_model& model);
  void decode(const storage::record_batch& records, record_range range, const class call& call, scored_range& out);
  void predict();
  void encode(const storage::record_batch& records, const class call& call, scored_range& out);
  void evaluate(std::span<cell> row, bool& undefined) const;
  void compare(std::span<const cell> row, std::span<const double> answer, scored_range& out) const;
  bool write(const storage::record_view& original, std::span<const cell> row, bool undefined,
             const std::string& headers, const class call& call, scored_range& out);
};

/// What one call of `score` is about.
class call {
public:
  const storage::partition_id& from;
  const serving_model& model;
  wall_time now;
  std::size_t max_output_bytes;
  planted_faults faults{};

  /// A dead letter for a record of this call.
  void give_up(const storage::record_view& original, std::string cause, scored_range& out) const {
    const auto around = original.key.size() + original.headers.size() + dead_letter_headroom;
    const auto room = max_output_bytes > around ? max_output_bytes - around : 0;
    add_dead_letter(out.dead_letters, original, from, {std::move(cause), 1, model.name, model.version}, now, room);
  }
};

status scorer::content::choose_features(const serving_model& model) {
  if (package == model.package)
    return {};
  std::vector<std::string> known;
  for (const auto& field : input.fields())
    known.push_back(field.name);
  std::vector<std::size_t> chosen;
  for (const auto& feature : model.package->input.fields()) {
    const auto slot = input.find(feature.name);
    if (!slot) {
      const auto near = nearest(feature.name, known);
      return fail(errc::configuration,
                  "model {} version {} wants feature {}, which is not in the stream's input schema{}", model.name,
                  model.version, feature.name, near ? fmt::format("; did you mean {}?", *near) : "");
    }
    if (input.fields()[*slot].type == ml::field_type::string)
      return fail(errc::configuration,
                  "model {} version {} wants feature {}, which is a string in the stream's input "
                  "schema; it must be a number",
                  model.name, model.version, feature.name);
    chosen.push_back(*slot);
  }
  if (chosen.size() != model.package->model->features())
    return fail(errc::configuration, "model {} version {} has {} features, its package names {}; train it again",
                model.name, model.version, model.package->model->features(), chosen.size());
  if (const auto fits = classes.follow(model); !fits)
    return fits;
  features = std::move(chosen);
  package = model.package;
  return {};
}

void scorer::content::decode(const storage::record_batch& records, record_range range, const call& call,
                             scored_range& out) {
  decoder.forget();
  rows.clear();
  cells.resize(range.count * width);
  for (std::uint32_t i = range.first; i < range.first + range.count; ++i) {
    const auto record = records[i];
    const auto row = std::span(cells).subspan(rows.size() * width, width);
    if (record.tombstone)
      call.give_up(record, "record has no value (a tombstone)", out);
    else if (!decoder.decode(record.value, row.first(input.size()), cause))
      call.give_up(record, cause, out);
    else
      rows.push_back(i);
  }
}

void scorer::content::predict() {
  const auto n = rows.size();
  matrix.resize(n * features.size());
  predictions.resize(n * package->model->outputs());
  auto* at = matrix.data();
  for (std::size_t row = 0; row < n; ++row) {
    const auto* from = cells.data() + row * width;
    for (const auto slot : features)
      *at++ =
          from[slot].is_null() ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(from[slot].as_number());
  }
  if (n > 0)
    package->model->predict(matrix, predictions);
}

/// Fills the output part of a row; `undefined` when any of its fields is null by arithmetic.
void scorer::content::evaluate(std::span<cell> row, bool& undefined) const {
  auto slot = first_output;
  for (const auto& expression : expressions)
    row[slot++] = expression.evaluate(row, undefined);
}

/// Notes the prediction beside the truth, where there are both.
void scorer::content::compare(std::span<const cell> row, std::span<const double> answer, scored_range& out) const {
  const auto& actual = row[*actual_slot];
  const auto& predicted = row[*predicted_slot];
  if (actual.is_null() || predicted.is_null())
    return;
  if (classes.none()) {
    out.evaluations.push_back({actual.as_number(), predicted.as_number()});
    return;
  }
  const auto is = classes.number_of(actual);
  const auto guess = classes.number_of(predicted);
  if (is && guess)
    out.class_evaluations.push_back({*is, *guess, classes.probability_of(*is, answer)});
}

/// False when the record was given up instead.
bool scorer::content::write(const storage::record_view& original, std::span<const cell> row, bool undefined,
                            const std::string& headers, const call& call, scored_range& out) {
  key.clear();
  if (key_slot && row[*key_slot].is_null()) {
    call.give_up(original, "the output's key is null", out);
    return false;
  }
  if (key_slot)
    append_text(row[*key_slot], key);
  else
    key = original.key;
  auto& batch = outputs[static_cast<std::size_t>(storage::partition_of(key, output_partitions))];
  const auto before = batch.bytes();
  batch.begin(key, headers, original.timestamp);
  encoder->encode(row.subspan(first_output), batch.value());
  if (const auto bytes = batch.value().size() - before; bytes > call.max_output_bytes) {
    batch.cancel();
    call.give_up(original,
                 fmt::format("output of {} bytes is larger than the log takes ({})", bytes, call.max_output_bytes),
                 out);
    return false;
  }
  batch.end();
  ++out.scored;
  out.nulls += undefined ? 1 : 0;
  return true;
}

void scorer::content::encode(const storage::record_batch& records, const call& call, scored_range& out) {
  output_headers headers(call.model, call.from);
  const auto answers = package->model->outputs();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto original = records[rows[i]];
    const auto row = std::span(cells).subspan(i * width, width);
    const auto answer = std::span(std::as_const(predictions)).subspan(i * answers, answers);
    classes.fill(answer, row.subspan(input.size()));
    bool undefined = false;
    evaluate(row, undefined);
    if (call.faults.any()) {
      call.faults.spoil(original.key, row.subspan(first_output), expressions);
      if (call.faults.drops(original.key))
        continue;
      if (call.faults.doubles(original.key) &&
          write(original, row, undefined, headers.of(original.offset), call, out) && actual_slot)
        compare(row, answer, out);
    }
    if (write(original, row, undefined, headers.of(original.offset), call, out) && actual_slot)
      compare(row, answer, out);
  }
}

scorer::scorer(std::unique_ptr<content> c) : content_(std::move(c)) {}
scorer::~scorer() = default;

/// A name of what the model answers that the input schema has too; none = there is no such.
std::optional<std::string> answer_in_schema(const ml::schema& input, const stream_spec& stream) {
  const auto all = expression_inputs(input, stream);
  for (auto i = input.size(); i < all.size(); ++i)
    if (input.find(all[i].name))
      return all[i].name;
  return std::nullopt;
}

result<std::unique_ptr<scorer>> scorer::make(const stream_spec& stream, const ml::schema& input,
                                             std::int32_t output_partitions) {
  if (output_partitions < 1)
    return fail(errc::configuration, "stream {}: topic {} has no partitions", stream.name, stream.output_topic);
  if (const auto twice = answer_in_schema(input, stream))
    return fail(errc::configuration, "stream {}: its schema has a field called {}, which is what the model answers",
                stream.name, *twice);
  auto made = std::make_unique<content>(input, stream);
  auto inputs = made->classes.keep_used(expression_inputs(input, stream), input.size(), stream);
  if (!inputs)
    return inputs.error();
  made->first_output = inputs->size();
  std::vector<std::string> names;
  for (const auto& [name, text] : stream.output_fields) {
    auto compiled = expression::compile(text, *inputs);
    if (!compiled)
      return compiled.error().in(fmt::format("stream {}: output field {}", stream.name, name));
    inputs->push_back({name, compiled->type()});
    made->expressions.push_back(*std::move(compiled));
    names.push_back(name);
  }
  const auto slot_of = [&](const std::string& field, std::size_t first) -> std::optional<std::size_t> {
    for (auto slot = inputs->size(); slot-- > first;)
      if ((*inputs)[slot].name == field)
        return slot;
    return std::nullopt;
  };
  if (!stream.output_key.empty()) {
    made->key_slot = slot_of(stream.output_key, made->first_output);
    if (!made->key_slot)
      return fail(errc::configuration, "stream {}: output key {} is no field of the output", stream.name,
                  stream.output_key);
  }
  if (!stream.evaluate_actual.empty()) {
    made->actual_slot = slot_of(stream.evaluate_actual, 0);
    made->predicted_slot = slot_of(stream.evaluate_predicted, 0);
    if (!made->actual_slot || !made->predicted_slot)
      return fail(errc::configuration, "stream {}: evaluates {} and {}, of which one is no field", stream.name,
                  stream.evaluate_actual, stream.evaluate_predicted);
  }
  made->encoder = std::make_unique<json_encoder>(names);
  made->width = inputs->size();
  made->output_topic = stream.output_topic;
  made->output_partitions = output_partitions;
  made->outputs.resize(static_cast<std::size_t>(output_partitions));
  return std::unique_ptr<scorer>(new scorer(std::move(made)));
}

result<scored_range> scorer::score(const storage::record_batch& records, record_range range,
                                   const storage::partition_id& from, const serving_model& model, wall_time now,
                                   std::size_t max_output_bytes) {
  auto& c = *content_;
  if (range.first > records.size() || range.count > records.size() - range.first)
    return fail(errc::internal, "records {} to {} of a batch of {}", range.first, range.first + range.count,
                records.size());
  if (const auto chosen = c.choose_features(model); !chosen)
    return chosen.error();
  call call{from, model, now, max_output_bytes};
  scored_range out;
  for (auto& batch : c.outputs)
    batch.clear(); // what an exception left behind
  const auto started = cpu_time();
  c.decode(records, range, call, out);
  const auto decoded = cpu_time();
  for (const auto index : c.rows)
    call.faults.strike(records[index].key);
  c.predict();
  const auto predicted = cpu_time();
  c.encode(records, call, out);
  for (std::size_t p = 0; p < c.outputs.size(); ++p)
    if (!c.outputs[p].empty())
      out.outputs.push_back({{c.output_topic, static_cast<std::int32_t>(p)}, std::exchange(c.outputs[p], {})});
  out.decode = decoded - started;
  out.predict = predicted - decoded;
  out.encode = cpu_time() - predicted;
  return out;
}

} // namespace penstock::runtime
