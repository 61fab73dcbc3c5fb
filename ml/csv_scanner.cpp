// SPDX-License-Identifier: Apache-2.0
#include "ml/csv_scanner.hpp"

#include <algorithm>
#include <cstring>

namespace penstock::ml {

namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

/// Length of the well-formed UTF-8 sequence at the beginning of bytes that are not empty; 0 when there is none.
std::size_t utf8_sequence(std::string_view bytes) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const auto lead = byte(0);
  if (lead < 0x80) {
    return 1;
  }
  const std::size_t length = lead >= 0xC2 && lead < 0xE0 ? 2 : lead >= 0xE0 && lead < 0xF0 ? 3 : lead >= 0xF0 ? 4 : 0;
  if (length == 0 || lead > 0xF4 || bytes.size() < length) {
    return 0;
  }
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) {
      return 0;
    }
  }
  const auto second = byte(1);
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool surrogate = lead == 0xED && second >= 0xA0;
  const bool too_large = lead == 0xF4 && second >= 0x90;
  return overlong || surrogate || too_large ? 0 : length;
}

} // namespace

bool is_utf8(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    std::uint64_t eight = 0;
    if (bytes.size() - at >= sizeof(eight)) {
      std::memcpy(&eight, bytes.data() + at, sizeof(eight));
      if ((eight & 0x8080808080808080U) == 0) {
        at += sizeof(eight);
        continue;
      }
    }
    const auto length = utf8_sequence(bytes.substr(at));
    if (length == 0) {
      return false;
    }
    at += length;
  }
  return true;
}

csv_scanner::csv_scanner(std::string_view text, char delimiter, std::size_t cells_kept)
    : text_(text), delimiter_(delimiter), cells_kept_(cells_kept), all_utf8_(is_utf8(text)) {
  if (text_.starts_with(byte_order_mark)) {
    position_ = byte_order_mark.size();
  }
}

csv_scanner::outcome csv_scanner::next() {
  while (position_ < text_.size() && at_line_end()) {
    pass_line_end();
  }
  if (position_ == text_.size()) {
    return outcome::end;
  }
  cells_.clear();
  unquoted_used_ = 0;
  width_ = 0;
  problem_ = nullptr;
  row_line_ = line_;
  const auto begin = position_;
  for (;;) {
    if (!scan_cell()) {
      return outcome::unclosed;
    }
    ++width_;
    if (position_ == text_.size() || text_[position_] != delimiter_) {
      break;
    }
    ++position_;
  }
  if (!problem_ && !all_utf8_ && !is_utf8(text_.substr(begin, position_ - begin))) {
    problem_ = "it holds bytes that are not UTF-8; convert the file";
  }
  if (position_ < text_.size()) {
    pass_line_end();
  }
  return problem_ ? outcome::bad_row : outcome::row;
}

bool csv_scanner::scan_cell() {
  if (position_ < text_.size() && text_[position_] == '"') {
    return scan_quoted_cell();
  }
  scan_plain_cell();
  return true;
}

void csv_scanner::scan_plain_cell() {
  const auto begin = position_;
  while (position_ < text_.size() && text_[position_] != delimiter_ && !at_line_end()) {
    ++position_;
  }
  keep(text_.substr(begin, position_ - begin));
}

bool csv_scanner::scan_quoted_cell() {
  const auto begin = ++position_;
  bool doubled = false;
  for (;;) {
    const auto quote = text_.find('"', position_);
    if (quote == std::string_view::npos) {
      position_ = text_.size();
      return false;
    }
    line_ += static_cast<std::uint64_t>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(position_),
                                                   text_.begin() + static_cast<std::ptrdiff_t>(quote), '\n'));
    position_ = quote + 1;
    if (position_ == text_.size() || text_[position_] != '"') {
      break;
    }
    doubled = true;
    ++position_;
  }
  auto cell = text_.substr(begin, position_ - 1 - begin);
  if (doubled && cells_.size() < cells_kept_) {
    if (unquoted_used_ == unquoted_.size()) {
      unquoted_.reserve(cells_kept_); // cells point into these: they must not move
      unquoted_.emplace_back();
    }
    auto& resolved = unquoted_[unquoted_used_++];
    resolved.clear();
    for (std::size_t i = 0; i < cell.size(); ++i) {
      resolved += cell[i];
      i += cell[i] == '"';
    }
    cell = resolved;
  }
  keep(cell);
  if (position_ < text_.size() && text_[position_] != delimiter_ && !at_line_end()) {
    problem_ = "there is text behind a closing quote; quotes inside of a quoted cell are doubled";
    while (position_ < text_.size() && text_[position_] != delimiter_ && !at_line_end()) {
      ++position_;
    }
  }
  return true;
}

void csv_scanner::keep(std::string_view cell) {
  if (cells_.size() < cells_kept_) {
    cells_.push_back(cell);
  }
}

bool csv_scanner::at_line_end() const {
  const char c = text_[position_];
  return c == '\n' || (c == '\r' && (position_ + 1 == text_.size() || text_[position_ + 1] == '\n'));
}

void csv_scanner::pass_line_end() {
  position_ += text_[position_] == '\r' && position_ + 1 < text_.size() ? 2 : 1;
  ++line_;
}

} // namespace penstock::ml
