// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "ml/schema.hpp"
#include "runtime/cell.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace penstock::runtime {

/// A field that an expression may name.
struct expression_input {
  std::string name;
  ml::field_type type = ml::field_type::float64;
};

/// An expression over the fields of a record, compiled to a flat program.
///
///     sum     = product { ("+" | "-") product }
///     product = signed { ("*" | "/") signed }
///     signed  = "-" signed | operand
///     operand = number | field | function "(" sum { "," sum } ")" | "(" sum ")"
///     field   = letter or "_", then letters, digits, "_" — or any name in backquotes
///
/// Functions: abs sqrt log exp floor ceil of one argument, min max of two or more. A field alone passes its value
/// through, whatever its type (int64 exactly). Arithmetic is in float64 and takes numbers only. Null makes the result
/// null. A division by zero or a value that is not finite, anywhere on the way, makes the result null too and is
/// reported as `undefined`.
///
/// Immutable: any thread may evaluate.
class expression {
public:
  /// `errc::configuration` says what is wrong and where: an unknown field or function (with the nearest known one), a
  /// string in arithmetic, nesting deeper than 64, a text longer than 4096 bytes.
  /// @param inputs  slot i of the cells holds inputs[i]; of equal names the last one is meant
  [[nodiscard]] static result<expression> compile(std::string_view text, std::span<const expression_input> inputs);

  /// The value for one record. `undefined` is set when it is null by arithmetic, and left alone otherwise. No
  /// allocation.
  /// @param cells  at least as many as there were inputs
  [[nodiscard]] cell evaluate(std::span<const cell> cells, bool& undefined) const;

  [[nodiscard]] ml::field_type type() const { return type_; }
  /// The slot that it passes through, when it is a field alone.
  [[nodiscard]] std::optional<std::size_t> lone_field() const { return lone_; }

  /// Whether it needs a slot.
  [[nodiscard]] bool reads(std::size_t slot) const;

  static constexpr std::size_t stack = 64; ///< most values waiting for an operator

private:
  friend class expression_compiler;
  enum class operation : std::uint8_t {
    constant,
    field,
    add,
    subtract,
    multiply,
    divide,
    negate,
    absolute,
    square_root,
    logarithm,
    exponential,
    floor,
    ceiling,
    smaller,
    larger,
  };
  struct step {
    operation what = operation::constant;
    std::uint32_t slot = 0;
    double number = 0;
  };

  expression() = default;
  static double apply(operation what, double a);
  static double apply(operation what, double a, double b);

  std::vector<step> program_;
  std::optional<std::size_t> lone_;
  ml::field_type type_ = ml::field_type::float64;
};

} // namespace penstock::runtime
