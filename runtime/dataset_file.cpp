// SPDX-License-Identifier: Apache-2.0
#include "runtime/dataset_file.hpp"

#include "base/bytes.hpp"
#include "base/file.hpp"
#include "ml/split.hpp"

#include <limits>

namespace penstock::runtime {

namespace {

std::string setting_of(const dataset_spec& spec) {
  return fmt::format("Dataset {}, path", spec.name);
}

} // namespace

result<dataset_bytes> load_dataset(const dataset_spec& spec) {
  auto text = read_file(spec.path);
  if (!text)
    return text.error().in(setting_of(spec));
  dataset_bytes loaded;
  loaded.digest = sha256_hex(*text);
  loaded.text = *std::move(text);
  return loaded;
}

result<ml::csv_result> parse_dataset(const dataset_spec& spec, std::string_view text,
                                     const std::function<void(double)>& progress) {
  ml::csv_options options;
  options.delimiter = spec.delimiter;
  options.declared = spec.fields;
  options.bad_rows = spec.bad_rows;
  auto parsed = ml::read_csv(text, options, progress);
  if (!parsed)
    return parsed.error().in(fmt::format("Dataset {}, {}", spec.name, spec.path.string()));
  // Row numbers are 32-bit everywhere: in splits, samples of trees and golden rows.
  if (parsed->data.rows() > std::numeric_limits<std::int32_t>::max())
    return fail(errc::invalid, "Dataset {}, {}: {} rows are more than the {} that are supported", spec.name,
                spec.path.string(), parsed->data.rows(), std::numeric_limits<std::int32_t>::max());
  return parsed;
}

result<ml::data_set> choose_part(const dataset_spec& spec, ml::data_set all) {
  if (!spec.split)
    return all;
  const auto rows = static_cast<std::uint32_t>(all.rows());
  const auto parts = ml::train_test_split(rows, spec.split->test_size, spec.split->seed);
  const auto& chosen = spec.split->test_part ? parts.test : parts.train;
  if (chosen.empty())
    return fail(errc::invalid, "Dataset {}: of {} rows none is left for the {} part; change split.test_size", spec.name,
                rows, spec.split->test_part ? "test" : "training");
  return all.select(chosen);
}

result<read_dataset> read_dataset_file(const dataset_spec& spec) {
  const auto loaded = load_dataset(spec);
  if (!loaded)
    return loaded.error();
  auto parsed = parse_dataset(spec, loaded->text, {});
  if (!parsed)
    return parsed.error();
  auto chosen = choose_part(spec, std::move(parsed->data));
  if (!chosen)
    return chosen.error();
  read_dataset read;
  read.data = std::make_shared<const ml::data_set>(*std::move(chosen));
  read.digest = loaded->digest;
  read.size = loaded->text.size();
  read.skipped = parsed->skipped;
  return read;
}

} // namespace penstock::runtime
