// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace penstock {

/// Why something failed, in as many kinds as somebody reacts to differently. The values are the program's exit codes.
enum class errc : std::uint8_t {
  /// Any failure that no caller treats specially. Returned by everybody.
  failed = 1,
  /// The command line does not say what to do. Returned by tools/.
  usage = 2,
  /// A name that does not exist: file, topic, model, actor.
  not_found = 3,
  /// Somebody else owns it: directory held by another process, fenced session, version taken.
  conflict = 4,
  /// Data that breaks its declared form: bad CSV row, model package with flipped bits, golden rows that differ.
  invalid = 5,
  /// A service or device does not answer or does not work: log unreachable, disk full, I/O error.
  unavailable = 69,
  /// A bug of ours.
  internal = 70,
  /// Worth trying again later without any change: credits used up, actor restarting.
  try_again = 75,
  /// The operating system or a role says no.
  permission = 77,
  /// What the user configured cannot work; a restart will not help.
  configuration = 78,
  /// A time limit passed before the answer came.
  timeout = 124,
};

/// Stable lower-case name of a code ("not_found"), for JSON and logs.
[[nodiscard]] const char* name_of(errc code);

/// An error: a code to react to and a text for people. The text says what failed, on what, why, and what can be done.
class [[nodiscard]] error {
public:
  error(errc code, std::string text) : code_(code), text_(std::move(text)) {}

  [[nodiscard]] errc code() const { return code_; }
  [[nodiscard]] const std::string& text() const { return text_; }

  /// The same error seen from further out: `context: text`.
  [[nodiscard]] error in(const std::string& context) const { return {code_, context + ": " + text_}; }

private:
  errc code_;
  std::string text_;
};

/// `fail(errc::not_found, "topic {} does not exist", name)`.
template <class... Args>
[[nodiscard]] error fail(errc code, fmt::format_string<Args...> form, Args&&... args) {
  return {code, fmt::format(form, std::forward<Args>(args)...)};
}

/// A value or an error. What crosses a folder returns this; exceptions of libraries stop at the wrapper.
template <class T>
class [[nodiscard]] result {
public:
  result(T value) : content_(std::in_place_index<0>, std::move(value)) {}
  result(class error failure) : content_(std::in_place_index<1>, std::move(failure)) {}

  [[nodiscard]] bool ok() const { return content_.index() == 0; }
  explicit operator bool() const { return ok(); }

  /// The value; only when `ok()`.
  [[nodiscard]] T& operator*() & { return *std::get_if<0>(&content_); }
  [[nodiscard]] const T& operator*() const& { return *std::get_if<0>(&content_); }
  [[nodiscard]] T&& operator*() && { return std::move(*std::get_if<0>(&content_)); }
  [[nodiscard]] T* operator->() { return std::get_if<0>(&content_); }
  [[nodiscard]] const T* operator->() const { return std::get_if<0>(&content_); }

  /// The error; only when not `ok()`.
  [[nodiscard]] const class error& error() const { return *std::get_if<1>(&content_); }

private:
  std::variant<T, class error> content_;
};

/// Success without a value, or an error.
template <>
class [[nodiscard]] result<void> {
public:
  result() = default;
  result(class error failure) : failure_(std::move(failure)) {}

  [[nodiscard]] bool ok() const { return !failure_; }
  explicit operator bool() const { return ok(); }
  [[nodiscard]] const class error& error() const { return *failure_; }

private:
  std::optional<class error> failure_;
};

using status = result<void>;

} // namespace penstock
