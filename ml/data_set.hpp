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

/// A column as classes, for a classification or a stratified split.
struct class_column {
  std::vector<std::uint32_t> numbers; ///< class of each row, below classes.size()
  /// Texts of the values that occur, in scikit-learn's order (`classes_`): integers ascending, false before true,
  /// strings by their bytes.
  std::vector<std::string> classes;
  field_type type = field_type::int64; ///< int64, boolean or string
};

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
  /// Leaves only the columns of these names, and gives back the memory of the others.
  void keep(const std::vector<std::string>& names);
  /// The same for all but this one.
  void drop(const std::string& name);

  // What follows reads the rows of `rows` in their order, all of them when it is empty. `errc::invalid` names the
  // column and, counted from 1 in the whole data set, the row.

  using row_list = std::span<const std::uint32_t>;

  /// Columns by name as features, n×d; NaN where missing. Fails for a column that is missing or not numeric, or a value
  /// beyond float32.
  [[nodiscard]] result<column_matrix> features(const std::vector<std::string>& names, row_list rows = {}) const;
  /// One of these columns. @param out  as many as there are rows
  [[nodiscard]] status feature(const std::string& name, row_list rows, std::span<float> out) const;
  /// What `features` would say of all rows, without the memory.
  [[nodiscard]] status check_features(const std::vector<std::string>& names) const;
  /// One numeric column. Fails when it is missing, not numeric, or has a value that is missing or not finite.
  [[nodiscard]] result<vector> target(const std::string& name, row_list rows = {}) const;
  /// The same for weights of rows, which must not be negative; one must be above 0.
  [[nodiscard]] result<vector> weights(const std::string& name, row_list rows = {}) const;
  /// One column of integers, booleans or strings as the classes that occur in `rows`. Fails for a float64 column, a
  /// missing value, and more than 4096 classes.
  [[nodiscard]] result<class_column> classes(const std::string& name, row_list rows = {}) const;

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
