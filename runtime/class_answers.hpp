// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "runtime/expression.hpp"
#include "runtime/scorer.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace penstock::runtime {

/// How the answers of a model become cells: the prediction itself, or in a stream with classes the class, its
/// probability and those of single classes, as far as expressions ask for them. Part of a scorer, used like it.
class class_answers {
public:
  /// @param stream  its classes are in their order (`stream_spec::classes`)
  explicit class_answers(const stream_spec& stream);

  /// Whether the stream has no classes: the model answers one number.
  [[nodiscard]] bool none() const { return names_.empty(); }

  /// Removes from what expressions may name (`expression_inputs`) those answers that none names, so that a model of
  /// many classes does not make rows wide. What is left behind the first `fixed` is what `fill` fills, in order.
  /// `errc::configuration` for an expression that does not compile.
  [[nodiscard]] result<std::vector<expression_input>> keep_used(std::vector<expression_input> all, std::size_t fixed,
                                                                const stream_spec& stream);

  /// From now on answers are of this model. `errc::configuration` names its classes and the stream's when they differ.
  [[nodiscard]] status follow(const serving_model& model);

  /// @param answer  the model's outputs for one row
  /// @param to      begins with the slot of the prediction
  void fill(std::span<const double> answer, std::span<cell> to) const;

  /// Number of the class that a value is; none when it is no class of the stream. A float64 may be an integer.
  [[nodiscard]] std::optional<std::uint32_t> number_of(const cell& value) const;
  [[nodiscard]] double probability_of(std::uint32_t number, std::span<const double> answer) const {
    return answer[column_of_[number]];
  }

private:
  static constexpr std::size_t of_predicted = static_cast<std::size_t>(-1);

  std::string stream_;
  std::vector<std::string> names_;
  std::vector<cell> values_;           ///< of the classes, as `prediction` has them; strings point into `names_`
  std::vector<std::size_t> asked_;     ///< behind the prediction: the class whose probability it is, or `of_predicted`
  std::vector<std::size_t> column_of_; ///< output of the model for each class
  std::vector<std::uint32_t> number_at_; ///< the inverse
};

} // namespace penstock::runtime
