// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "ml/learner.hpp"
#include "ml/schema.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::ml {

/// Where a model comes from: enough to make it again.
struct lineage {
  std::string data_digest; ///< SHA-256 of the data file
  std::string data_path;
  std::string split;      ///< which rows of it, such as `train of test_size=0.2 seed=42; holdout test_size=0.2 seed=42`
  std::uint64_t rows = 0; ///< used for training
  std::uint64_t seed = 0;
  std::string training; ///< `application/name` of the Training
  std::string build;    ///< version of Penstock
  bool operator==(const lineage&) const = default;
};

/// A row and what the model must answer for it, bit for bit.
struct golden_row {
  std::vector<float> features;
  std::vector<double> prediction; ///< as many as the model has outputs
};

/// One immutable file: everything that is needed to serve, check and make a model again.
struct model_package {
  learner_spec learner;
  schema input;  ///< the features, in the model's order
  schema output; ///< one field: what it predicts; of a classification `one_of` names the classes in their order
  std::map<std::string, double> metrics; ///< on the hold-out: `rmse`, `mae`, `r2`, or `accuracy`, `f1`, `roc_auc` …
  std::map<std::string, double> importances; ///< of the features, by name; sum 1, or all 0
  struct lineage lineage;
  std::vector<golden_row> golden;
  std::shared_ptr<const class model> model;
  std::string encoded_model; ///< `model` as its learner encoded it; empty in a package that was read back

  /// Sections with lengths and checksums behind a magic and a version. The same package gives the same bytes. Only for
  /// a package with `encoded_model`: who reads one back has its bytes.
  [[nodiscard]] std::string encode() const;
};

struct loaded_package {
  std::shared_ptr<const model_package> package;
  std::string digest; ///< SHA-256 of the bytes: the package's name
};

/// Reads a package and scores its golden rows. `errc::invalid` for flipped bits, truncation, hostile lengths, golden
/// rows that differ, or a digest other than `expected` (unless that is empty); `errc::configuration` when a newer
/// version wrote it.
[[nodiscard]] result<loaded_package> decode_package(std::string_view bytes, std::string_view expected_digest = {});

/// Scores the first golden row again: the cheap proof that this model still works in this process.
[[nodiscard]] bool golden_rows_hold(const model_package& package);

} // namespace penstock::ml
