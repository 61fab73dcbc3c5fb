// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/binner.hpp"

#include "ml/forest/bin_kernels.hpp"
#include "ml/forest/value_order.hpp"
#include "ml/training_threads.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace penstock::ml {

namespace {

constexpr std::size_t rows_per_task = 8192;

/// A float in [below, above): below <= cut < above holds even when no float lies between the two.
float midpoint(float below, float above) {
  const auto middle = static_cast<float>((static_cast<double>(below) + static_cast<double>(above)) / 2);
  return middle < above ? middle : below;
}

/// Whether there are no more distinct values than bins.
bool few_distinct(const std::vector<float>& sorted) {
  std::size_t distinct = sorted.empty() ? 0 : 1;
  for (std::size_t i = 1; i < sorted.size() && distinct <= most_bins; ++i) {
    distinct += sorted[i - 1] < sorted[i];
  }
  return distinct <= most_bins;
}

bin_function* kernel_for(instruction_set instructions) {
#if defined(__x86_64__)
  if (instructions >= instruction_set::avx512) {
    return bin_avx512;
  }
  if (instructions >= instruction_set::avx2) {
    return bin_avx2;
  }
#endif
  (void)instructions;
  return bin_portable;
}

bin_table table_of(const std::vector<float>& cuts) {
  bin_table table;
  std::fill(std::begin(table.fine), std::end(table.fine), std::numeric_limits<float>::infinity());
  std::copy(cuts.begin(), cuts.end(), std::begin(table.fine));
  for (std::size_t block = 0; block < bin_table::blocks; ++block) {
    table.coarse[block] = table.fine[(block + 1) * bin_table::blocks - 1];
  }
  return table;
}

/// Codes of some rows.
void code_rows(const column_matrix& features, const std::vector<bin_table>& tables, bin_function* code,
               std::size_t first, std::size_t count, binned_features& into) {
  std::vector<std::uint8_t> codes(count);
  for (std::size_t f = 0; f < into.features; ++f) {
    code(tables[f], features.data() + f * into.rows + first, count, codes.data());
    auto* to = into.codes.data() + first * into.stride + f;
    for (std::size_t i = 0; i < count; ++i, to += into.stride) {
      *to = codes[i];
    }
  }
}

} // namespace

std::vector<float> quantile_cuts(std::vector<float>& values) {
  sort_memory memory;
  return quantile_cuts(values, memory);
}

std::vector<float> quantile_cuts(std::vector<float>& values, sort_memory& memory) {
  sort_values(values, memory);
  const bool bin_each = few_distinct(values);
  std::vector<float> cuts;
  std::size_t left = values.size(); // not in a closed bin
  std::size_t in_bin = 0;
  for (std::size_t i = 0; i + 1 < values.size(); ++i) {
    ++in_bin;
    if (!(values[i] < values[i + 1])) {
      continue;
    }
    // Closed when it holds its share of what is left, so that one frequent value does not starve the bins behind it.
    if (bin_each || (cuts.size() + 1 < most_bins && in_bin * (most_bins - cuts.size()) >= left)) {
      cuts.push_back(midpoint(values[i], values[i + 1]));
      left -= in_bin;
      in_bin = 0;
    }
  }
  return cuts;
}

result<binned_features> bin(const column_matrix& features, const training_control& control) {
  binned_features binned;
  binned.rows = static_cast<std::size_t>(features.rows());
  binned.features = static_cast<std::size_t>(features.cols());
  binned.cuts.resize(binned.features);
  std::vector<char> missing(binned.features); // written by several threads
  struct column_memory {
    std::vector<float> values;
    sort_memory sorting;
  };
  std::vector<column_memory> memory(std::max(control.threads, 1U));
  auto cut = run_tasks(control.threads, binned.features, control.thread_started, [&](unsigned worker, std::size_t f) {
    const auto* column = features.data() + f * binned.rows;
    auto& [values, sorting] = memory[worker];
    values.resize(binned.rows);
    const auto end = std::copy_if(column, column + binned.rows, values.begin(), [](float x) { return !std::isnan(x); });
    values.erase(end, values.end());
    missing[f] = values.size() < binned.rows;
    binned.cuts[f] = quantile_cuts(values, sorting);
    return !control.is_cancelled();
  });
  memory.clear();
  if (!cut) {
    return cut.error();
  }
  binned.has_missing.assign(missing.begin(), missing.end());
  binned.stride = (binned.features + binned_features::group - 1) / binned_features::group * binned_features::group;
  binned.codes.resize(binned.rows * binned.stride);
  std::vector<bin_table> tables;
  for (const auto& cuts : binned.cuts) {
    tables.push_back(table_of(cuts));
  }
  const auto tasks = (binned.rows + rows_per_task - 1) / rows_per_task;
  auto coded = run_tasks(control.threads, tasks, control.thread_started, [&](unsigned, std::size_t task) {
    const auto first = task * rows_per_task;
    code_rows(features, tables, kernel_for(control.instructions), first, std::min(rows_per_task, binned.rows - first),
              binned);
    return !control.is_cancelled();
  });
  if (!coded) {
    return coded.error();
  }
  return binned;
}

} // namespace penstock::ml
