// SPDX-License-Identifier: Apache-2.0
#pragma once

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

namespace penstock::ml {

/// A trained model. Immutable, so that any number of threads may predict with one object.
class model {
public:
  virtual ~model() = default;

  /// Learner that made it, as in `learner_spec::type`.
  [[nodiscard]] virtual std::string_view type() const = 0;
  [[nodiscard]] virtual std::size_t features() const = 0;

  /// Scores rows: `rows` is n×features() float32, row-major, NaN = missing; `out` has n places. Bit-identical on every
  /// CPU and for every batch size. No allocation, no error.
  virtual void predict(std::span<const float> rows, std::span<double> out) const = 0;

  /// The durable form (magic, version, length, checksum); `decode_model` is its inverse.
  [[nodiscard]] virtual std::string encode() const = 0;
  /// Bytes of memory it occupies, approximately.
  [[nodiscard]] virtual std::size_t memory() const = 0;
};

/// Reads a model out of untrusted bytes: `errc::invalid` for anything that is not a whole, well-formed model (cycles,
/// features out of range, NaN thresholds, wrong lengths), `errc::configuration` for one of a newer version. Allocates
/// no more than a small multiple of the bytes it is given.
[[nodiscard]] result<std::unique_ptr<model>> decode_model(std::string_view bytes);

/// Rows and targets of a training.
struct training_data {
  const column_matrix& features; ///< n×d
  const vector& target;          ///< n
};

/// What a training is told by, and tells, the world around it. All optional.
struct training_control {
  unsigned threads = 1; ///< changes the time, never the model
  const std::atomic<bool>* cancelled = nullptr;
  std::function<void(double)> progress; ///< share done in [0, 1], from any of the threads, one at a time
  std::function<void()> thread_started; ///< called first in each thread that training starts (to lower its priority)

  [[nodiscard]] bool is_cancelled() const { return cancelled && cancelled->load(std::memory_order_relaxed); }
};

/// Turns data into a model. A learner holds its checked parameters and nothing else.
class learner {
public:
  virtual ~learner() = default;
  /// `errc::invalid` for data it cannot learn from (no rows, target not finite), `errc::failed` when cancelled.
  [[nodiscard]] virtual result<std::unique_ptr<model>> train(const training_data& data,
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
