// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "ml/matrix.hpp"
#include "ml/schema.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::ml {

/// Rows and named, typed columns in memory. Numbers are kept as float64 with NaN for missing ones (an int64 column
/// keeps its values exactly up to 2⁵³); strings as they are, missing ones as marked in `missing`.
class data_set {
public:
  struct column {
    field_spec field;
    std::vector<double> numbers;      ///< int64, float64, boolean (0/1); empty for strings
    std::vector<std::string> strings; ///< string columns only
    std::vector<bool> missing;        ///< one per row; empty when nothing is missing
  };

  [[nodiscard]] std::size_t rows() const { return rows_; }
  [[nodiscard]] const std::vector<column>& columns() const { return columns_; }
  [[nodiscard]] const column* find(std::string_view name) const;

  /// A cell as a typed value; null when missing.
  [[nodiscard]] value at(std::size_t row, const column& of) const;

  /// The rows of `indices`, in that order.
  [[nodiscard]] data_set select(std::span<const std::uint32_t> indices) const;

  /// Columns by name as features, n×d; NaN where missing. `errc::invalid` names a column that is missing or not
  /// numeric.
  [[nodiscard]] result<column_matrix> features(const std::vector<std::string>& names) const;
  /// One numeric column. `errc::invalid` when it is missing, not numeric, or has a value that is missing or not finite.
  [[nodiscard]] result<vector> target(const std::string& name) const;

  /// Takes columns of equal length.
  static data_set of(std::vector<column> columns);

private:
  std::vector<column> columns_;
  std::size_t rows_ = 0;
};

/// What to do with a row that does not parse.
enum class on_error : std::uint8_t { fail, skip };

struct csv_options {
  char delimiter = ',';
  std::vector<field_spec> declared; ///< types by column name; others are inferred from all their values
  on_error bad_rows = on_error::fail;
};

struct csv_result {
  data_set data;
  std::uint64_t skipped = 0;     ///< rows left out under `on_error::skip`
  std::string first_skip_reason; ///< with its line number
};

/// Reads CSV with a header line as RFC 4180 has it: quoting, doubled quotes, CRLF, line breaks in quotes; an empty
/// cell, `NA`, `NaN`, `null` or `?` is missing. A column is int64, else float64, else boolean (true/false), else
/// string. Errors
/// (`errc::invalid`) carry the line number and the column's name: wrong number of cells, a cell that is not of the
/// declared type, an unclosed quote, a duplicate or empty column name, no rows, bytes that are not UTF-8.
/// @param progress  called now and then with the share done in [0, 1]; may be empty
[[nodiscard]] result<csv_result> read_csv(std::string_view text, const csv_options& options,
                                          const std::function<void(double)>& progress = {});

} // namespace penstock::ml
