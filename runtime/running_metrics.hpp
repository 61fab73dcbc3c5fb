// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::runtime {

/// Running figures of one input partition, exact over all its records. Part of the partition's state: every commit
/// writes them, so they survive restarts and equal a fold over the committed outputs in partition order, bit for bit
/// (sums grow record by record, so batch boundaries do not matter).
struct running_metrics {
  std::uint64_t records = 0;      ///< output records
  std::uint64_t dead_letters = 0; ///< records given up
  std::uint64_t nulls = 0;        ///< outputs with a null field
  std::uint64_t evaluated = 0;    ///< records with both values
  double sum_absolute_error = 0;  ///< Σ |predicted − actual|
  double sum_squared_error = 0;   ///< Σ (predicted − actual)²

  // -- of a stream with classes ---------------------------------------------

  std::uint64_t classified = 0; ///< records whose true and predicted value are classes
  std::uint64_t correct = 0;    ///< of these, predicted right
  std::uint64_t positives = 0;  ///< of two classes: predicted as the second, rightly
  std::uint64_t false_positives = 0;
  std::uint64_t false_negatives = 0;
  double sum_log_loss = 0; ///< Σ −ln of the true class's probability, clipped as in `ml::classification_metrics`

  void add(double actual, double predicted);
  /// @param classes      how many there are
  /// @param probability  of the actual class
  void add(std::uint32_t actual, std::uint32_t predicted, std::size_t classes, double probability);
  /// Adds another partition's figures: for display. Float sums depend on the order of the partitions.
  void merge(const running_metrics& other);
  [[nodiscard]] double mae() const;  ///< 0 when nothing was evaluated
  [[nodiscard]] double rmse() const; ///< 0 when nothing was evaluated

  [[nodiscard]] double accuracy() const; ///< 0 when nothing was classified, like the next
  [[nodiscard]] double log_loss() const;
  [[nodiscard]] double precision() const; ///< of the second class of two; 0 when it is never predicted
  [[nodiscard]] double recall() const;    ///< 0 when it never occurs
  [[nodiscard]] double f1() const;

  /// Versioned durable form. `decode` refuses a newer version (`errc::configuration`) and damage (`errc::invalid`);
  /// version 1 knew no classes.
  [[nodiscard]] std::string encode() const;
  [[nodiscard]] static result<running_metrics> decode(std::string_view bytes);
  bool operator==(const running_metrics&) const = default;
};

} // namespace penstock::runtime
