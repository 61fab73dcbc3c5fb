// SPDX-License-Identifier: Apache-2.0
// Decoding, scoring and encoding the house-prices records: JSON lines {"metric","value","unit"}, medians of CPU time.
// Usage: codec_bench, from the repository's root.
#include "base/file.hpp"
#include "ml/data_set.hpp"
#include "ml/split.hpp"
#include "runtime/application.hpp"
#include "runtime/json_decoder.hpp"
#include "runtime/json_encoder.hpp"
#include "runtime/scorer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace penstock;
using namespace penstock::runtime;

constexpr int runs = 21;
constexpr std::size_t records = 4000;
constexpr std::size_t largest = std::size_t{1} << 20;

double cpu_seconds() {
  timespec now{};
  (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

void print(const char* metric, double value, const char* unit) {
  fmt::print("{{\"metric\":\"{}\",\"value\":{:.6g},\"unit\":\"{}\"}}\n", metric, value, unit);
}

/// Median over the runs, in nanoseconds for each record.
double median_ns(const std::function<void()>& work) {
  std::vector<double> seconds;
  for (int run = 0; run < runs; ++run) {
    const auto begin = cpu_seconds();
    work();
    seconds.push_back(cpu_seconds() - begin);
  }
  std::ranges::nth_element(seconds, seconds.begin() + runs / 2);
  return 1e9 * seconds[runs / 2] / static_cast<double>(records);
}

struct bench_input {
  application_spec application;
  ml::data_set data;
  storage::record_batch batch;
};

/// The first rows as records, in the schema's order, as a source would write them.
storage::record_batch make_records(const ml::schema& schema, const ml::data_set& data) {
  std::vector<std::string> names;
  for (const auto& field : schema.fields())
    names.push_back(field.name);
  const json_encoder encoder(names);
  storage::record_batch batch;
  for (std::size_t row = 0; row < records; ++row) {
    std::vector<cell> cells;
    for (const auto& field : schema.fields()) {
      const auto* column = data.find(field.name == "actual_price" ? "target" : field.name);
      cells.push_back(column == nullptr ? cell::of(static_cast<std::int64_t>(row)) : cell::of(column->numbers[row]));
    }
    batch.begin(std::to_string(row), {}, 1'700'000'000'000, static_cast<std::int64_t>(row));
    encoder.encode(cells, batch.value());
    batch.end();
  }
  return batch;
}

result<bench_input> load() {
  auto application = load_application("pipelines/house-prices.yaml", environment());
  if (!application)
    return application.error();
  auto text = read_file("data/california_housing.csv");
  if (!text)
    return text.error();
  auto read = ml::read_csv(*text, {});
  if (!read)
    return read.error();
  auto batch = make_records(*application->find_schema("house"), read->data);
  return bench_input{*std::move(application), std::move(read->data), std::move(batch)};
}

result<serving_model> train(const bench_input& input) {
  const auto& training = input.application.trainings.front();
  const auto features = input.data.features(training.features);
  const auto target = input.data.target(training.target);
  const auto learner = ml::make_learner(training.learner);
  if (!features || !target || !learner)
    return fail(errc::invalid, "the data or the learner does not fit");
  auto model = (*learner)->train({*features, *target}, {});
  if (!model)
    return model.error();
  std::vector<ml::field_spec> fields;
  for (const auto& feature : training.features)
    fields.push_back({feature, ml::field_type::float64, false, {}, {}, {}});
  auto package = std::make_shared<ml::model_package>();
  package->learner = training.learner;
  package->input = *ml::schema::make(fields);
  package->model = std::move(model->model);
  return serving_model{"house-prices", 1, 1, "digest", package};
}

double measure_decode(const bench_input& input, std::vector<cell>& cells) {
  const auto& schema = *input.application.find_schema("house");
  json_decoder decoder(schema);
  cells.resize(records * schema.size());
  std::string cause;
  std::size_t bad = 0;
  const auto ns = median_ns([&] {
    for (std::size_t i = 0; i < records; ++i)
      bad += decoder.decode(input.batch[i].value, std::span(cells).subspan(i * schema.size(), schema.size()), cause)
                 ? 0
                 : 1;
  });
  if (bad > 0)
    fmt::print(stderr, "{} records did not decode: {}\n", bad, cause);
  print("decode_ns", ns, "ns");
  return ns;
}

/// Expressions and encoding alone: five output fields with a price that looks like a predicted one.
double measure_encode(const bench_input& input, const std::vector<cell>& cells) {
  const auto& stream = input.application.streams.front();
  const auto& schema = *input.application.find_schema("house");
  auto inputs = expression_inputs(schema, stream);
  std::vector<expression> expressions;
  std::vector<std::string> names;
  for (const auto& [name, text] : stream.output_fields) {
    expressions.push_back(*expression::compile(text, inputs));
    inputs.push_back({name, expressions.back().type()});
    names.push_back(name);
  }
  const json_encoder encoder(names);
  std::vector<cell> row(inputs.size());
  storage::record_batch out;
  const auto ns = median_ns([&] {
    out.clear();
    for (std::size_t i = 0; i < records; ++i) {
      const auto from = std::span(cells).subspan(i * schema.size(), schema.size());
      std::ranges::copy(from, row.begin());
      row[schema.size()] = cell::of(1.0 / 3 + static_cast<double>(i) * 1.0000001e-3);
      bool undefined = false;
      for (std::size_t e = 0; e < expressions.size(); ++e)
        row[schema.size() + 1 + e] = expressions[e].evaluate(row, undefined);
      out.begin("1234", {}, 0);
      encoder.encode(std::span(row).subspan(schema.size() + 1), out.value());
      out.end();
    }
  });
  print("encode_ns", ns, "ns");
  print("output_bytes", static_cast<double>(out[records / 2].value.size()), "bytes");
  return ns;
}

int measure_scorer(const bench_input& input) {
  const auto model = train(input);
  if (!model) {
    fmt::print(stderr, "{}\n", model.error().text());
    return 1;
  }
  auto made = scorer::make(input.application.streams.front(), *input.application.find_schema("house"), 4);
  duration decode{}, predict{}, encode{};
  const auto ns = median_ns([&] {
    for (std::uint32_t first = 0; first < records; first += 1000) {
      auto out = (*made)->score(input.batch, {first, 1000}, {"house-prices-input", 0}, *model, 0, largest);
      decode += out->decode;
      predict += out->predict;
      encode += out->encode;
    }
  });
  print("score_ns_per_record", ns, "ns");
  const auto each = [](duration total) { return static_cast<double>(total.count()) / runs / records; };
  print("score_decode_ns", each(decode), "ns");
  print("score_predict_ns", each(predict), "ns");
  print("score_encode_ns", each(encode), "ns");
  return 0;
}

} // namespace

int main() {
  const auto input = load();
  if (!input) {
    fmt::print(stderr, "{}\n", input.error().text());
    return static_cast<int>(input.error().code());
  }
  print("input_bytes", static_cast<double>(input->batch[records / 2].value.size()), "bytes");
  std::vector<cell> cells;
  const auto decode = measure_decode(*input, cells);
  const auto encode = measure_encode(*input, cells);
  print("decode_encode_ns", decode + encode, "ns");
  return measure_scorer(*input);
}
