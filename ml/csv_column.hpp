// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ml/data_set.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace penstock::ml {

/// Collects the cells of one column of CSV. Of a declared type from the beginning, or taken for numbers until a cell is
/// none; then the column is `undecided()` and collects nothing until the whole text was seen once and `decide()` has
/// fixed its type, whereupon the cells are to be given again.
class csv_column {
public:
  explicit csv_column(std::string name) : inferred_(true) { column_.field.name = std::move(name); }
  explicit csv_column(field_spec declared) { column_.field = std::move(declared); }

  /// False when the cell is not of the column's type; nothing is added then.
  [[nodiscard]] bool add(std::string_view cell);
  /// Takes back what was added behind the first `rows` cells.
  void shrink_to(std::size_t rows);

  [[nodiscard]] const field_spec& field() const { return column_.field; }
  /// Whether the type is inferred; such a column takes every cell.
  [[nodiscard]] bool inferred() const { return inferred_; }
  [[nodiscard]] bool undecided() const { return undecided_; }
  /// Fixes the type of an undecided column by all the cells it was given: boolean, else string.
  void decide();
  /// The column; int64 when inferred and all its numbers are whole ones up to 2⁵³.
  [[nodiscard]] data_set::column take();

private:
  [[nodiscard]] std::optional<double> number_of(std::string_view trimmed);
  void note_type(std::string_view trimmed);
  void mark_missing(bool missing);

  data_set::column column_;
  bool inferred_ = false;
  bool undecided_ = false;
  bool all_whole_ = true;   ///< every number so far is an integer up to 2⁵³
  bool all_boolean_ = true; ///< every cell so far is true, false or missing
  bool any_ = false;        ///< some cell is not missing
  std::size_t rows_ = 0;
};

/// Without spaces and tabs at both ends.
[[nodiscard]] std::string_view trim(std::string_view text);

} // namespace penstock::ml
