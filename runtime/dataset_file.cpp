// SPDX-License-Identifier: Apache-2.0
#include "runtime/dataset_file.hpp"

#include "base/bytes.hpp"
#include "base/file.hpp"
#include "ml/split.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace penstock::runtime {

namespace {

std::string setting_of(const dataset_spec& spec) {
  return fmt::format("Dataset {}, path", spec.name);
}

/// Classes for a message: their numbers are their places in it.
std::string listed(const std::vector<std::string>& classes) {
  constexpr std::size_t most = 10;
  std::string out;
  for (std::size_t i = 0; i < std::min(most, classes.size()); ++i)
    out += fmt::format("{}{}: {}", i == 0 ? "" : ", ", i, classes[i].substr(0, 40));
  return out + (classes.size() > most ? ", …" : "");
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

result<ml::split_indices> split_rows(const ml::data_set& data, std::span<const std::uint32_t> rows, double test_size,
                                     std::uint32_t seed, const std::string& stratify) {
  const auto count = static_cast<std::uint32_t>(rows.empty() ? data.rows() : rows.size());
  if (stratify.empty())
    return ml::train_test_split(count, test_size, seed);
  const auto classes = data.classes(stratify, rows);
  if (!classes)
    return classes.error().in("stratify");
  auto parts = ml::stratified_train_test_split(classes->numbers, test_size, seed);
  if (parts)
    return parts;
  return parts.error().in(fmt::format("stratify by {} (classes {})", stratify, listed(classes->classes)));
}

result<std::vector<std::uint32_t>> choose_part(const dataset_spec& spec, const ml::data_set& all) {
  if (!spec.split)
    return std::vector<std::uint32_t>{};
  auto parts = split_rows(all, {}, spec.split->test_size, spec.split->seed, spec.split->stratify);
  if (!parts)
    return parts.error().in(fmt::format("Dataset {}, split", spec.name));
  auto& chosen = spec.split->test_part ? parts->test : parts->train;
  if (chosen.empty())
    return fail(errc::invalid, "Dataset {}: of {} rows none is left for the {} part; change split.test_size", spec.name,
                all.rows(), spec.split->test_part ? "test" : "training");
  return std::move(chosen);
}

result<read_dataset> read_dataset_file(const dataset_spec& spec) {
  auto loaded = load_dataset(spec);
  if (!loaded)
    return loaded.error();
  auto parsed = parse_dataset(spec, loaded->text, {});
  if (!parsed)
    return parsed.error();
  read_dataset read;
  read.digest = loaded->digest;
  read.size = loaded->text.size();
  read.skipped = parsed->skipped;
  std::string().swap(loaded->text); // its memory, not only its content
  const auto chosen = choose_part(spec, parsed->data);
  if (!chosen)
    return chosen.error();
  read.data =
      std::make_shared<const ml::data_set>(chosen->empty() ? std::move(parsed->data) : parsed->data.select(*chosen));
  return read;
}

} // namespace penstock::runtime
