// SPDX-License-Identifier: Apache-2.0
#include "ml/forest/binner.hpp"

#include "ml/training_threads.hpp"

#include <algorithm>
#include <cmath>

namespace penstock::ml {

namespace {

constexpr std::size_t rows_per_task = 8192;

/// A float in [below, above): below <= cut < above holds even when no float lies between the two.
float midpoint(float below, float above) {
  const auto middle = static_cast<float>((static_cast<double>(below) + static_cast<double>(above)) / 2);
  return middle < above ? middle : below;
}

std::size_t distinct_values(const std::vector<float>& sorted) {
  std::size_t distinct = sorted.empty() ? 0 : 1;
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    distinct += sorted[i - 1] < sorted[i];
  }
  return distinct;
}

/// Number of cuts below x: a binary search without branches.
std::uint8_t code_of(float x, const std::vector<float>& cuts) {
  if (std::isnan(x)) {
    return missing_code;
  }
  const float* first = cuts.data();
  for (std::size_t left = cuts.size(); left != 0;) {
    const auto half = left - left / 2;
    first += x > first[half - 1] ? half : 0;
    left /= 2;
  }
  return static_cast<std::uint8_t>(first - cuts.data());
}

} // namespace

std::vector<float> quantile_cuts(std::vector<float>& values) {
  std::sort(values.begin(), values.end());
  const bool bin_each = distinct_values(values) <= most_bins;
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
  auto cut = run_tasks(control.threads, binned.features, control.thread_started, [&](unsigned, std::size_t f) {
    const auto* column = features.data() + f * binned.rows;
    std::vector<float> values;
    values.reserve(binned.rows);
    std::copy_if(column, column + binned.rows, std::back_inserter(values), [](float x) { return !std::isnan(x); });
    binned.cuts[f] = quantile_cuts(values);
    return !control.is_cancelled();
  });
  if (!cut) {
    return cut.error();
  }
  binned.stride = (binned.features + binned_features::group - 1) / binned_features::group * binned_features::group;
  binned.codes.resize(binned.rows * binned.stride);
  binned.columns.resize(binned.rows * binned.features);
  const auto tasks = (binned.rows + rows_per_task - 1) / rows_per_task;
  auto coded = run_tasks(control.threads, tasks, control.thread_started, [&](unsigned, std::size_t task) {
    const auto end = std::min(binned.rows, (task + 1) * rows_per_task);
    for (std::size_t f = 0; f < binned.features; ++f) {
      const auto* column = features.data() + f * binned.rows;
      auto* codes = binned.columns.data() + f * binned.rows;
      for (std::size_t row = task * rows_per_task; row < end; ++row) {
        codes[row] = code_of(column[row], binned.cuts[f]);
        binned.codes[row * binned.stride + f] = codes[row];
      }
    }
    return !control.is_cancelled();
  });
  if (!coded) {
    return coded.error();
  }
  return binned;
}

} // namespace penstock::ml
