// SPDX-License-Identifier: Apache-2.0
#include "ml/data_set.hpp"

#include <cmath>
#include <limits>

namespace penstock::ml {

namespace {

bool is_missing(const data_set::column& column, std::size_t row) {
  return !column.missing.empty() && column.missing[row];
}

result<const data_set::column*> numeric_column(const data_set& data, const std::string& name) {
  const auto* column = data.find(name);
  if (!column) {
    return fail(errc::invalid, "column {} is not in the data; check the names in its header line", name);
  }
  if (column->field.type == field_type::string) {
    return fail(errc::invalid, "column {} holds strings; a feature or target must be numeric", name);
  }
  return column;
}

} // namespace

data_set data_set::of(std::vector<column> columns) {
  data_set made;
  made.columns_ = std::move(columns);
  if (!made.columns_.empty()) {
    const auto& first = made.columns_.front();
    made.rows_ = first.field.type == field_type::string ? first.strings.size() : first.numbers.size();
  }
  return made;
}

const data_set::column* data_set::find(std::string_view name) const {
  for (const auto& each : columns_) {
    if (each.field.name == name) {
      return &each;
    }
  }
  return nullptr;
}

value data_set::at(std::size_t row, const column& of) const {
  if (is_missing(of, row)) {
    return std::monostate{};
  }
  switch (of.field.type) {
  case field_type::int64:
    return static_cast<std::int64_t>(of.numbers[row]);
  case field_type::float64:
    return of.numbers[row];
  case field_type::boolean:
    return of.numbers[row] != 0;
  case field_type::string:
    return of.strings[row];
  }
  return std::monostate{};
}

data_set data_set::select(std::span<const std::uint32_t> indices) const {
  data_set selected;
  selected.rows_ = indices.size();
  for (const auto& from : columns_) {
    column to{from.field, {}, {}, {}};
    if (from.field.type == field_type::string) {
      to.strings.reserve(indices.size());
      for (auto row : indices) {
        to.strings.push_back(from.strings[row]);
      }
    } else {
      to.numbers.reserve(indices.size());
      for (auto row : indices) {
        to.numbers.push_back(from.numbers[row]);
      }
    }
    if (!from.missing.empty()) {
      bool any = false;
      to.missing.reserve(indices.size());
      for (auto row : indices) {
        to.missing.push_back(from.missing[row]);
        any = any || from.missing[row];
      }
      if (!any) {
        to.missing.clear();
      }
    }
    selected.columns_.push_back(std::move(to));
  }
  return selected;
}

result<column_matrix> data_set::features(const std::vector<std::string>& names) const {
  column_matrix matrix(static_cast<Eigen::Index>(rows_), static_cast<Eigen::Index>(names.size()));
  for (std::size_t f = 0; f < names.size(); ++f) {
    auto found = numeric_column(*this, names[f]);
    if (!found) {
      return found.error();
    }
    const auto& from = **found;
    for (std::size_t row = 0; row < rows_; ++row) {
      const auto number =
          is_missing(from, row) ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(from.numbers[row]);
      if (std::isinf(number)) {
        return fail(errc::invalid, "column {}: the value {} of data row {} does not fit into float32; rescale it",
                    names[f], from.numbers[row], row + 1);
      }
      matrix(static_cast<Eigen::Index>(row), static_cast<Eigen::Index>(f)) = number;
    }
  }
  return matrix;
}

result<vector> data_set::target(const std::string& name) const {
  auto found = numeric_column(*this, name);
  if (!found) {
    return found.error();
  }
  const auto& from = **found;
  vector target(static_cast<Eigen::Index>(rows_));
  for (std::size_t row = 0; row < rows_; ++row) {
    if (is_missing(from, row) || !std::isfinite(from.numbers[row])) {
      return fail(errc::invalid, "target {}: data row {} has no finite value; leave the row out or fill it in", name,
                  row + 1);
    }
    target(static_cast<Eigen::Index>(row)) = from.numbers[row];
  }
  return target;
}

} // namespace penstock::ml
