// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "ml/model_package.hpp"
#include "runtime/application.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace penstock::runtime {

/// The seven steps of a training, in order.
enum class training_step : std::uint8_t { open = 1, read, check, split, train, evaluate, save };
inline constexpr int training_steps = 7;
[[nodiscard]] const char* name_of(training_step step);

/// Where a training is. Every step is told at its beginning (share 0), while it goes on, and once with `done`.
struct training_progress {
  training_step step = training_step::open;
  double share = 0;  ///< of this step, in [0, 1]
  std::string text;  ///< what is known after the step: `20,640 rows, 9 columns`; empty before
  bool done = false; ///< the step has ended
};

struct training_outcome {
  std::string package; ///< the encoded model package
  std::string digest;  ///< its name
  std::map<std::string, double> metrics;
  std::uint64_t skipped_rows = 0;
};

/// A data set as an application declares it, read from its file.
struct read_dataset {
  std::shared_ptr<const ml::data_set> data; ///< of the chosen part
  std::string digest;                       ///< SHA-256 of the file
  std::uint64_t size = 0;                   ///< of the file, bytes
  std::uint64_t skipped = 0;
};
/// `errc::not_found` names the setting (`Dataset NAME, path`); `invalid` the line. The whole file is in memory
/// meanwhile.
[[nodiscard]] result<read_dataset> read_dataset_file(const dataset_spec& spec);

/// Name of everything that goes into a training, a SHA-256: equal inputs give the bit-identical model. Not part of it:
/// places (path, registry name), retries, webhook, threads, the budget of memory, and the build of Penstock.
[[nodiscard]] std::string training_inputs(const training_spec& training, const dataset_spec& dataset,
                                          const std::string& data_digest);

/// Runs one training from file to package: open, read, check, split, train, evaluate, save (`save` reads the package
/// back and hands it to `store`). The package holds nothing that differs between two runs of equal inputs and build, so
/// its digest is the same too. Errors name training and step.
///
/// Blocking; call it on a thread of its own, which may come out with a lower priority (nice 10). `errc::failed` when
/// cancelled: looked at between steps and while trees are grown. What a library throws comes through: the trainer's
/// supervisor reacts. Nothing is kept of a training that is interrupted.
/// @param threads   of the train step; 0 = 1
/// @param progress  may be empty; called from any thread, one call at a time
/// @param store  puts the encoded package away under its digest; its error fails the step
[[nodiscard]] result<training_outcome>
run_training(const std::string& application, const training_spec& training, const dataset_spec& dataset,
             unsigned threads, const std::atomic<bool>& cancelled,
             const std::function<void(const training_progress&)>& progress,
             const std::function<status(const std::string& digest, const std::string& package)>& store);

} // namespace penstock::runtime
