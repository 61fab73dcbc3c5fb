// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/cpu.hpp"
#include "base/result.hpp"
#include "ml/matrix.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::ml {

/// The code path that serves a model, and why it is this one.
struct kernel_description {
  std::string name;   ///< `avx512_vbmi`
  std::string reason; ///< `depth 10, 8 features, at most 231 thresholds for one`
};

/// A trained model. Immutable, so that any number of threads may predict with one object.
class model {
public:
  virtual ~model() = default;

  /// Learner that made it, as in `learner_spec::type`.
  [[nodiscard]] virtual std::string_view type() const = 0;
  [[nodiscard]] virtual std::size_t features() const = 0;
  /// Numbers that it answers for a row: 1 for a regression, for a classification the probability of each class.
  [[nodiscard]] virtual std::size_t outputs() const { return 1; }

  /// Scores rows: `rows` is n×features() float32, row-major, NaN = missing; `out` has n×outputs() places, row-major.
  /// Bit-identical on every CPU and for every batch size. No allocation, no error.
  virtual void predict(std::span<const float> rows, std::span<double> out) const = 0;

  /// How rows are scored on this machine, for people.
  [[nodiscard]] virtual kernel_description kernel() const { return {"plain", "it has no other"}; }
  /// Bytes of memory it occupies, approximately.
  [[nodiscard]] virtual std::size_t memory() const = 0;
};

/// The class of a row by its probabilities: the most probable one, of equals the first.
[[nodiscard]] std::size_t most_probable(std::span<const double> probabilities);

/// Reads a model out of untrusted bytes: `errc::invalid` for anything that is not a whole, well-formed model (cycles,
/// features out of range, NaN thresholds, wrong lengths), `errc::configuration` for one of a newer version. Allocates
/// no more than a small multiple of the bytes it is given.
[[nodiscard]] result<std::unique_ptr<model>> decode_model(std::string_view bytes);

/// Rows and targets of a training.
struct training_data {
  const column_matrix& features;      ///< n×d
  const vector& target;               ///< n: numbers, or for a classification numbers of classes 0 … C−1
  std::vector<std::string> classes{}; ///< names of the classes, C ≥ 2; empty = a regression
  const vector* weights = nullptr;    ///< n, not negative; none = all rows count the same
};

/// What a training makes.
struct trained_model {
  std::unique_ptr<class model> model;
  std::string encoded; ///< the durable form (magic, version, length, checksum); `decode_model` is its inverse
  std::vector<double> importances;       ///< d: share of each feature in what the splits gained; sum 1, or all 0
  std::map<std::string, double> metrics; ///< what training itself measured, such as `oob_r2`
};

/// What a training is told by, and tells, the world around it. All optional.
struct training_control {
  unsigned threads = 1;                                 ///< changes the time, never the model
  instruction_set instructions = usable_instructions(); ///< changes the time, never the model
  const std::atomic<bool>* cancelled = nullptr;
  std::size_t memory_budget = 0;        ///< bytes that training may allocate, beside the data; 0 = no limit
  std::function<void(double)> progress; ///< share done in [0, 1], from any of the threads, one at a time
  std::function<void()> thread_started; ///< called first in each thread that training starts (to lower its priority)

  [[nodiscard]] bool is_cancelled() const { return cancelled && cancelled->load(std::memory_order_relaxed); }
};

/// Turns data into a model. A learner holds its checked parameters and nothing else.
class learner {
public:
  virtual ~learner() = default;
  /// Whether its targets are classes.
  [[nodiscard]] virtual bool classifies() const = 0;
  /// `errc::invalid` for data it cannot learn from (no rows, target not finite), `errc::failed` when cancelled or
  /// when the budget of memory is too small; fewer threads are used when that makes it fit.
  [[nodiscard]] virtual result<trained_model> train(const training_data& data,
                                                    const training_control& control) const = 0;
};

/// A learner and its parameters by their scikit-learn names, values as text:
/// `{random_forest_regressor, {{"n_estimators", "100"}, {"max_depth", "10"}, {"random_state", "42"}}}`.
struct learner_spec {
  std::string type;
  std::map<std::string, std::string> parameters;
  bool operator==(const learner_spec&) const = default;
};

/// Makes a learner. `errc::configuration` names an unknown type or parameter (with the nearest known one) or a value
/// out of bounds.
[[nodiscard]] result<std::unique_ptr<learner>> make_learner(const learner_spec& spec);

} // namespace penstock::ml
