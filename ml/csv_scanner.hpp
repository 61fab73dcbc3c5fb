// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::ml {

/// Cuts CSV text into rows of cells as RFC 4180 has it. Blank lines are passed over, a byte order mark too. Keeps one
/// row at a time: memory does not grow with the text.
class csv_scanner {
public:
  /// @param cells_kept  a row's cells beyond these are counted, not kept
  csv_scanner(std::string_view text, char delimiter, std::size_t cells_kept);

  enum class outcome : std::uint8_t {
    row,      ///< `cells()` and `width()` are those of the next row
    bad_row,  ///< the next row is malformed, `problem()` says how; scanning can go on behind it
    unclosed, ///< a quote opened in the row that begins at `line()` is never closed: the rest cannot be trusted
    end
  };
  [[nodiscard]] outcome next();

  /// Valid until the next call of `next`.
  [[nodiscard]] const std::vector<std::string_view>& cells() const { return cells_; }
  [[nodiscard]] std::size_t width() const { return width_; }
  [[nodiscard]] const char* problem() const { return problem_; }
  /// Line on which the row begins, from 1.
  [[nodiscard]] std::uint64_t line() const { return row_line_; }
  [[nodiscard]] std::size_t position() const { return position_; }

private:
  [[nodiscard]] bool scan_cell();
  void scan_plain_cell();
  [[nodiscard]] bool scan_quoted_cell();
  void keep(std::string_view cell);
  [[nodiscard]] bool at_line_end() const;
  void pass_line_end();

  std::string_view text_;
  char delimiter_;
  std::size_t cells_kept_;
  bool all_utf8_;
  std::size_t position_ = 0;
  std::uint64_t line_ = 1;
  std::uint64_t row_line_ = 1;
  std::size_t width_ = 0;
  std::vector<std::string_view> cells_;
  std::vector<std::string> unquoted_; ///< cells with doubled quotes, resolved; reused from row to row
  std::size_t unquoted_used_ = 0;
  const char* problem_ = nullptr;
};

/// Whether bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF).
[[nodiscard]] bool is_utf8(std::string_view bytes);

} // namespace penstock::ml
