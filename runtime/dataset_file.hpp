// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "ml/data_set.hpp"
#include "runtime/training_job.hpp"

#include <functional>
#include <string>
#include <string_view>

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

/// The rows that the data set stands for: all, or its part of the split. `errc::invalid` when that is none.
[[nodiscard]] result<ml::data_set> choose_part(const dataset_spec& spec, ml::data_set all);

} // namespace penstock::runtime
