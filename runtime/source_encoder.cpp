// SPDX-License-Identifier: Apache-2.0
#include "base/spelling.hpp"
#include "runtime/source_task.hpp"

#include <cmath>
#include <iterator>
#include <string_view>

namespace penstock::runtime {

namespace {

constexpr std::string_view row_number = "$index";

/// A JSON string (RFC 8259 §7) of UTF-8 text.
void write_string(std::string& to, std::string_view text) {
  to += '"';
  for (const char c : text) {
    switch (c) {
    case '"':
      to += "\\\"";
      break;
    case '\\':
      to += "\\\\";
      break;
    case '\n':
      to += "\\n";
      break;
    case '\r':
      to += "\\r";
      break;
    case '\t':
      to += "\\t";
      break;
    default:
      if (static_cast<unsigned char>(c) < 0x20)
        fmt::format_to(std::back_inserter(to), "\\u{:04x}", static_cast<unsigned>(c));
      else
        to += c;
    }
  }
  to += '"';
}

bool is_missing(const ml::data_set::column& column, std::uint64_t row) {
  if (!column.missing.empty() && column.missing[row])
    return true;
  return column.field.type != ml::field_type::string && !std::isfinite(column.numbers[row]);
}

/// A cell that is neither missing nor a string, as JSON has it; the shortest text that reads back as the same number.
void write_plain(std::string& to, const ml::data_set::column& column, std::uint64_t row) {
  const double number = column.numbers[row];
  if (column.field.type == ml::field_type::boolean)
    to += number != 0 ? "true" : "false";
  else if (column.field.type == ml::field_type::int64)
    fmt::format_to(std::back_inserter(to), "{}", static_cast<std::int64_t>(number));
  else
    fmt::format_to(std::back_inserter(to), "{}", number);
}

/// A row of a source: its number counts on over repetitions of the data set, its cells come round again.
struct source_row {
  std::uint64_t number;
  std::uint64_t cells; ///< row of the data set
};

/// The cell of a field in a row as a key: its text without quotes, empty when it is missing. No column = row number.
std::string key_text(const ml::data_set::column* column, const source_row& at) {
  const auto row = at.cells;
  std::string out;
  if (column == nullptr)
    out = std::to_string(at.number);
  else if (is_missing(*column, row))
    return out;
  else if (column->field.type == ml::field_type::string)
    out = column->strings[row];
  else
    write_plain(out, *column, row);
  return out;
}

void write_cell(std::string& to, const ml::data_set::column* column, const source_row& at) {
  const auto row = at.cells;
  if (column == nullptr)
    fmt::format_to(std::back_inserter(to), "{}", at.number);
  else if (is_missing(*column, row))
    to += "null";
  else if (column->field.type == ml::field_type::string)
    write_string(to, column->strings[row]);
  else
    write_plain(to, *column, row);
}

} // namespace

result<source_encoder> source_encoder::make(const source_spec& source, std::int32_t partitions,
                                            std::shared_ptr<const ml::data_set> data) {
  source_encoder out;
  std::vector<std::string> known;
  for (const auto& column : data->columns())
    known.push_back(column.field.name);
  for (const auto& [field, column] : source.record) {
    std::string name; // of the field, as it stands in front of every value
    write_string(name, field);
    out.names_.push_back((out.names_.empty() ? "{" : ",") + name + ":");
    if (field == source.key)
      out.key_ = out.columns_.size();
    out.columns_.push_back(column == row_number ? nullptr : data->find(column));
    if (column == row_number || out.columns_.back() != nullptr)
      continue;
    const auto meant = nearest(column, known);
    return fail(errc::configuration, "source {}, record field {}: data set {} has no column {}{}", source.name, field,
                source.dataset, column, meant ? "; did you mean " + *meant + "?" : "");
  }
  if (!source.key.empty() && !out.key_)
    return fail(errc::configuration, "source {}: its key {} is not a field of its record", source.name, source.key);
  out.topic_ = source.topic;
  out.partitions_ = partitions;
  out.data_ = std::move(data);
  return out;
}

std::vector<storage::output> source_encoder::encode(std::uint64_t first, std::uint64_t count, wall_time now) const {
  const auto partitions = static_cast<std::uint64_t>(partitions_);
  std::vector<storage::output> all(partitions);
  for (std::int32_t i = 0; i < partitions_; ++i)
    all[static_cast<std::size_t>(i)].to = {topic_, i};
  for (auto number = first; number < first + count; ++number) {
    const source_row row{number, number % data_->rows()};
    const auto key = key_ ? key_text(columns_[*key_], row) : std::string{};
    const auto to = key_ ? storage::partition_of(key, partitions_) : static_cast<std::int32_t>(number % partitions);
    auto& records = all[static_cast<std::size_t>(to)].records;
    records.begin(key, {}, now);
    auto& value = records.value();
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      value += names_[i];
      write_cell(value, columns_[i], row);
    }
    value += columns_.empty() ? "{}" : "}";
    records.end();
  }
  std::erase_if(all, [](const storage::output& one) { return one.records.empty(); });
  return all;
}

} // namespace penstock::runtime
