// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "ml/data_set.hpp"
#include "ml/split.hpp"
#include "runtime/training_job.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::runtime {

// The stages of `read_dataset_file`, for a training that reports on each of them. Pure but for the file; no state.

/// The bytes of a data set's file and their SHA-256.
struct dataset_bytes {
  std::string text;
  std::string digest;
};

/// Reads the file. Errors name the setting: `Dataset NAME, path: cannot open …`.
[[nodiscard]] result<dataset_bytes> load_dataset(const dataset_spec& spec);

/// Parses the whole file. `errc::invalid` with file and line; see `ml::read_csv`.
/// @param progress  share done in [0, 1]; may be empty
[[nodiscard]] result<ml::csv_result> parse_dataset(const dataset_spec& spec, std::string_view text,
                                                   const std::function<void(double)>& progress);

/// Numbers of the rows that the data set stands for, its part of the split; empty = all. `errc::invalid` when it is to
/// have none, or cannot be stratified.
[[nodiscard]] result<std::vector<std::uint32_t>> choose_part(const dataset_spec& spec, const ml::data_set& all);

/// scikit-learn's split of some rows.
/// @param rows      of `data`; empty = all
/// @param stratify  column whose classes both parts hold in equal shares; empty = none
/// The indices point into `rows`. `errc::invalid` says what is wrong with the column or with the sizes.
[[nodiscard]] result<ml::split_indices> split_rows(const ml::data_set& data, std::span<const std::uint32_t> rows,
                                                   double test_size, std::uint32_t seed, const std::string& stratify);

} // namespace penstock::runtime
