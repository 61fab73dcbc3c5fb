// SPDX-License-Identifier: Apache-2.0
#include "base/spelling.hpp"
#include "ml/csv_column.hpp"
#include "ml/csv_scanner.hpp"
#include "ml/data_set.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

namespace penstock::ml {

namespace {

constexpr std::size_t most_columns = 10'000;
constexpr std::size_t longest_name = 1024;
constexpr std::size_t progress_bytes = std::size_t{1} << 20;

std::string quoted(std::string_view cell) {
  constexpr std::size_t longest = 40;
  auto end = std::min(cell.size(), longest);
  while (end < cell.size() && end > 0 && (static_cast<unsigned char>(cell[end]) & 0xC0) == 0x80) {
    --end; // not inside of a UTF-8 sequence
  }
  return fmt::format("\"{}{}\"", cell.substr(0, end), end < cell.size() ? "…" : "");
}

/// Reads a text once, and once more when columns turned out to hold no numbers.
class csv_reader {
public:
  csv_reader(std::string_view text, const csv_options& options, const std::function<void(double)>& progress)
      : text_(text), options_(options), progress_(progress) {}

  result<csv_result> read() {
    const char delimiter = options_.delimiter;
    if (delimiter == '"' || delimiter == '\n' || delimiter == '\r') {
      return fail(errc::configuration, "csv: the delimiter cannot be a quote or a line break");
    }
    csv_scanner first = scanner();
    auto prepared = read_header(first);
    if (prepared) {
      prepared = read_rows(first);
    }
    if (prepared && rows_ == 0) {
      prepared = no_rows();
    }
    if (!prepared) {
      return prepared.error();
    }
    read_undecided();
    std::vector<data_set::column> columns;
    for (auto& column : columns_) {
      columns.push_back(column.take());
    }
    report(1);
    result_.data = data_set::of(std::move(columns));
    return std::move(result_);
  }

private:
  csv_scanner scanner() const { return {text_, options_.delimiter, most_columns + 1}; }

  void report(double share) const {
    if (progress_) {
      progress_(share);
    }
  }

  error no_rows() const {
    if (result_.skipped != 0) {
      return fail(errc::invalid, "csv: all {} rows were skipped; the first because of {}", result_.skipped,
                  result_.first_skip_reason);
    }
    return fail(errc::invalid, "csv: there is a header line but no row below it");
  }

  status read_header(csv_scanner& scanner) {
    const auto found = scanner.next();
    if (found == csv_scanner::outcome::end) {
      return fail(errc::invalid, "csv: the text is empty; a header line with the columns' names is needed");
    }
    if (found != csv_scanner::outcome::row) {
      return fail(errc::invalid, "csv: line {}: the header line is malformed: {}", scanner.line(),
                  scanner.problem() ? scanner.problem() : "a quote is not closed");
    }
    if (scanner.width() > most_columns) {
      return fail(errc::invalid, "csv: line {}: {} columns are more than the {} allowed", scanner.line(),
                  scanner.width(), most_columns);
    }
    std::vector<std::string> names;
    std::set<std::string_view> seen;
    for (auto cell : scanner.cells()) {
      if (cell.size() > longest_name) {
        return fail(errc::invalid, "csv: line {}: column {} has a name of {} bytes, at most {} are allowed",
                    scanner.line(), names.size() + 1, cell.size(), longest_name);
      }
      names.emplace_back(trim(cell));
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i].empty()) {
        return fail(errc::invalid, "csv: line {}: column {} has no name", scanner.line(), i + 1);
      }
      if (!seen.insert(names[i]).second) {
        return fail(errc::invalid, "csv: line {}: column name {} occurs twice", scanner.line(), quoted(names[i]));
      }
    }
    return make_columns(names);
  }

  status make_columns(const std::vector<std::string>& names) {
    for (const auto& field : options_.declared) {
      if (std::find(names.begin(), names.end(), field.name) == names.end()) {
        const auto meant = nearest(field.name, names);
        return fail(errc::invalid, "csv: there is no column {}, which is declared{}", quoted(field.name),
                    meant ? "; did you mean " + quoted(*meant) + "?" : "");
      }
    }
    for (const auto& name : names) {
      const auto declared = std::find_if(options_.declared.begin(), options_.declared.end(),
                                         [&](const field_spec& field) { return field.name == name; });
      columns_.push_back(declared == options_.declared.end() ? csv_column(name) : csv_column(*declared));
    }
    return {};
  }

  /// The first pass: everything but what is undecided at its end.
  status read_rows(csv_scanner& scanner) {
    std::size_t reported = 0;
    for (std::uint64_t row = 0;; ++row) {
      const auto found = scanner.next();
      if (found == csv_scanner::outcome::end) {
        return {};
      }
      if (found == csv_scanner::outcome::unclosed) {
        return fail(errc::invalid, "csv: line {}: a quote is opened in this row and never closed", scanner.line());
      }
      const auto problem =
          found == csv_scanner::outcome::bad_row ? std::string(scanner.problem()) : add_row(scanner, columns_);
      if (!problem.empty()) {
        auto reason = fmt::format("line {}: {}", scanner.line(), problem);
        if (options_.bad_rows == on_error::fail) {
          return fail(errc::invalid, "csv: {}", reason);
        }
        skip(row, std::move(reason));
        continue;
      }
      ++rows_;
      if (scanner.position() - reported >= progress_bytes) {
        reported = scanner.position();
        report(static_cast<double>(reported) / static_cast<double>(text_.size()) * 0.8);
      }
    }
  }

  void skip(std::uint64_t row, std::string reason) {
    if (result_.skipped++ == 0) {
      result_.first_skip_reason = std::move(reason);
    }
    skipped_rows_.push_back(row);
  }

  /// Adds a row to all columns or to none; why not, or empty.
  std::string add_row(const csv_scanner& scanner, std::vector<csv_column>& columns) const {
    if (scanner.width() != columns.size()) {
      return fmt::format("{} cells, the header has {}", scanner.width(), columns.size());
    }
    // Those that may refuse first: a row that is skipped must leave no trace in what is inferred.
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].inferred() || columns[i].add(scanner.cells()[i])) {
        continue;
      }
      for (auto& column : columns) {
        column.shrink_to(rows_);
      }
      return fmt::format("column {}: {} is not of type {}", columns[i].field().name, quoted(scanner.cells()[i]),
                         name_of(columns[i].field().type));
    }
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].inferred()) {
        std::ignore = columns[i].add(scanner.cells()[i]); // takes every cell
      }
    }
    return {};
  }

  /// The second pass, over the same good rows.
  void read_undecided() {
    std::vector<std::size_t> undecided;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i].undecided()) {
        undecided.push_back(i);
        columns_[i].decide();
      }
    }
    if (undecided.empty()) {
      return;
    }
    auto again = scanner();
    std::ignore = again.next(); // the header
    auto skipped = skipped_rows_.begin();
    for (std::uint64_t row = 0; again.next() != csv_scanner::outcome::end; ++row) {
      if (skipped != skipped_rows_.end() && *skipped == row) {
        ++skipped;
        continue;
      }
      for (auto i : undecided) {
        std::ignore = columns_[i].add(again.cells()[i]); // decided by all cells: it takes each of them
      }
    }
  }

  std::string_view text_;
  const csv_options& options_;
  const std::function<void(double)>& progress_;
  std::vector<csv_column> columns_;
  std::vector<std::uint64_t> skipped_rows_;
  std::size_t rows_ = 0;
  csv_result result_;
};

} // namespace

result<csv_result> read_csv(std::string_view text, const csv_options& options,
                            const std::function<void(double)>& progress) {
  return csv_reader(text, options, progress).read();
}

} // namespace penstock::ml
