// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"

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

  void add(double actual, double predicted);
  /// Adds another partition's figures: for display. Float sums depend on the order of the partitions.
  void merge(const running_metrics& other);
  [[nodiscard]] double mae() const;  ///< 0 when nothing was evaluated
  [[nodiscard]] double rmse() const; ///< 0 when nothing was evaluated

  /// Versioned durable form. `decode` refuses a newer version (`errc::configuration`) and damage (`errc::invalid`).
  [[nodiscard]] std::string encode() const;
  [[nodiscard]] static result<running_metrics> decode(std::string_view bytes);
  bool operator==(const running_metrics&) const = default;
};

} // namespace penstock::runtime
