// SPDX-License-Identifier: Apache-2.0
#include "ml/data_set.hpp"

#include "base/spelling.hpp"
#include "ml/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

namespace penstock::ml {

namespace {

bool is_missing(const data_set::column& column, std::size_t row) {
  return !column.missing.empty() && column.missing[row];
}

result<const data_set::column*> known_column(const data_set& data, const std::string& name) {
  const auto* column = data.find(name);
  if (!column) {
    std::vector<std::string> names;
    for (const auto& each : data.columns()) {
      names.push_back(each.field.name);
    }
    const auto near = nearest(name, names);
    return fail(errc::invalid, "column {} is not in the data; {}", name,
                near ? fmt::format("did you mean {}?", *near) : "check the names in its header line");
  }
  return column;
}

result<const data_set::column*> numeric_column(const data_set& data, const std::string& name) {
  auto column = known_column(data, name);
  if (column && (*column)->field.type == field_type::string) {
    return fail(errc::invalid, "column {} holds strings; a feature, weight or target of a regression must be numeric",
                name);
  }
  return column;
}

/// Row numbers that a caller has chosen: all, or those of a list.
class chosen_rows {
public:
  chosen_rows(const data_set& data, data_set::row_list rows) : rows_(rows), all_(data.rows()) {}
  [[nodiscard]] std::size_t size() const { return rows_.empty() ? all_ : rows_.size(); }
  [[nodiscard]] std::size_t operator[](std::size_t i) const { return rows_.empty() ? i : rows_[i]; }

private:
  data_set::row_list rows_;
  std::size_t all_;
};

/// The float32 of a cell; `errc::invalid` when it has none.
result<float> feature_at(const data_set::column& from, std::size_t row) {
  const auto number =
      is_missing(from, row) ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(from.numbers[row]);
  if (std::isinf(number)) {
    return fail(errc::invalid, "column {}: the value {} of data row {} does not fit into float32; rescale it",
                from.field.name, from.numbers[row], row + 1);
  }
  return number;
}

result<vector> finite_numbers(const data_set& data, const char* what, const std::string& name,
                              data_set::row_list rows) {
  const auto found = numeric_column(data, name);
  if (!found) {
    return found.error();
  }
  const auto& from = **found;
  const chosen_rows chosen(data, rows);
  vector numbers(static_cast<Eigen::Index>(chosen.size()));
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const auto row = chosen[i];
    if (is_missing(from, row) || !std::isfinite(from.numbers[row])) {
      return fail(errc::invalid, "{} {}: data row {} has no finite value; leave the row out or fill it in", what, name,
                  row + 1);
    }
    numbers(static_cast<Eigen::Index>(i)) = from.numbers[row];
  }
  return numbers;
}

/// Numbers the values of a column in their order, the rows by them.
template <class Value, class Text>
status number_classes(const data_set::column& from, const std::vector<Value>& values, const chosen_rows& rows,
                      const Text& text, class_column& to) {
  std::unordered_map<Value, std::uint32_t> met; // number of its first occurrence
  std::vector<Value> order;
  to.numbers.resize(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto row = rows[i];
    if (is_missing(from, row)) {
      return fail(errc::invalid, "column {}: data row {} has no class; leave the row out or fill it in",
                  from.field.name, row + 1);
    }
    const auto [known, is_new] = met.emplace(values[row], static_cast<std::uint32_t>(order.size()));
    if (is_new) {
      order.push_back(values[row]);
    }
    if (order.size() > most_classes) {
      return fail(errc::invalid, "column {} has more than {} different values, too many for classes", from.field.name,
                  most_classes);
    }
    to.numbers[i] = known->second;
  }
  std::ranges::sort(order);
  std::vector<std::uint32_t> place(order.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    place[met.at(order[i])] = i;
    to.classes.push_back(text(order[i]));
  }
  for (auto& number : to.numbers) {
    number = place[number];
  }
  return {};
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

void data_set::keep(const std::vector<std::string>& names) {
  std::erase_if(columns_, [&](const column& each) { return std::ranges::find(names, each.field.name) == names.end(); });
}

void data_set::drop(const std::string& name) {
  std::erase_if(columns_, [&](const column& each) { return each.field.name == name; });
}

result<column_matrix> data_set::features(const std::vector<std::string>& names, row_list rows) const {
  const auto count = chosen_rows(*this, rows).size();
  column_matrix matrix(static_cast<Eigen::Index>(count), static_cast<Eigen::Index>(names.size()));
  for (std::size_t f = 0; f < names.size(); ++f) {
    if (auto done = feature(names[f], rows, {matrix.data() + f * count, count}); !done) {
      return done.error();
    }
  }
  return matrix;
}

status data_set::feature(const std::string& name, row_list rows, std::span<float> out) const {
  auto from = numeric_column(*this, name);
  if (!from) {
    return from.error();
  }
  const chosen_rows chosen(*this, rows);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const auto number = feature_at(**from, chosen[i]);
    if (!number) {
      return number.error();
    }
    out[i] = *number;
  }
  return {};
}

status data_set::check_features(const std::vector<std::string>& names) const {
  for (const auto& name : names) {
    auto from = numeric_column(*this, name);
    if (!from) {
      return from.error();
    }
    for (std::size_t row = 0; row < rows_; ++row) {
      if (auto number = feature_at(**from, row); !number) {
        return number.error();
      }
    }
  }
  return {};
}

result<vector> data_set::target(const std::string& name, row_list rows) const {
  return finite_numbers(*this, "target", name, rows);
}

result<vector> data_set::weights(const std::string& name, row_list rows) const {
  auto weights = finite_numbers(*this, "weight", name, rows);
  if (!weights) {
    return weights;
  }
  const chosen_rows chosen(*this, rows);
  for (Eigen::Index i = 0; i < weights->size(); ++i) {
    if ((*weights)(i) < 0) {
      return fail(errc::invalid, "weight {}: {} of data row {} is negative; use 0 for rows without a say", name,
                  (*weights)(i), chosen[static_cast<std::size_t>(i)] + 1);
    }
  }
  if (weights->size() == 0 || !(weights->maxCoeff() > 0)) {
    return fail(errc::invalid, "weight {}: no row has one above 0", name);
  }
  return weights;
}

result<class_column> data_set::classes(const std::string& name, row_list rows) const {
  auto found = known_column(*this, name);
  if (!found) {
    return found.error();
  }
  const auto& from = **found;
  const chosen_rows chosen(*this, rows);
  class_column out;
  out.type = from.field.type;
  status done;
  switch (from.field.type) {
  case field_type::int64:
    done = number_classes(
        from, from.numbers, chosen, [](double cell) { return fmt::format("{}", static_cast<std::int64_t>(cell)); },
        out);
    break;
  case field_type::boolean:
    done = number_classes(
        from, from.numbers, chosen, [](double cell) { return std::string(cell != 0 ? "true" : "false"); }, out);
    break;
  case field_type::string:
    done = number_classes(
        from, from.strings, chosen, [](const std::string& cell) { return cell; }, out);
    break;
  case field_type::float64:
    return fail(errc::invalid,
                "column {} holds float64; classes must be integers, booleans or strings: declare its type under the "
                "data set's fields, or learn it with a regressor",
                name);
  }
  if (!done) {
    return done.error();
  }
  return out;
}

} // namespace penstock::ml
