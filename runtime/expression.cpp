// SPDX-License-Identifier: Apache-2.0
#include "runtime/expression.hpp"

#include "base/spelling.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace penstock::runtime {

namespace {

constexpr std::size_t longest_text = 4096;
constexpr int deepest = 64;

bool starts_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

} // namespace

/// Recursive descent over the text; emits the program in postfix order.
class expression_compiler {
public:
  expression_compiler(std::string_view text, std::span<const expression_input> inputs) : text_(text), inputs_(inputs) {}

  result<expression> compile() {
    if (text_.size() > longest_text)
      return fail(errc::configuration, "expression is longer than {} bytes", longest_text);
    sum();
    if (!failed_ && at_ != text_.size())
      fail_here(fmt::format("\"{}\" is not expected", text_[at_]));
    if (failed_)
      return fail(errc::configuration, "expression \"{}\": {}", text_, why_);
    if (out_.program_.size() == 1 && out_.program_[0].what == expression::operation::field) {
      out_.lone_ = out_.program_[0].slot;
      out_.type_ = inputs_[*out_.lone_].type;
    } else if (wrong_type_) {
      return fail(errc::configuration, "expression \"{}\": field {} is a {} and cannot be reckoned with", text_,
                  inputs_[*wrong_type_].name, name_of(inputs_[*wrong_type_].type));
    }
    return std::move(out_);
  }

private:
  using operation = expression::operation;

  struct function {
    std::string_view name;
    operation what;
    bool takes_many;
  };
  static constexpr std::array<function, 8> functions{{{"abs", operation::absolute, false},
                                                      {"sqrt", operation::square_root, false},
                                                      {"log", operation::logarithm, false},
                                                      {"exp", operation::exponential, false},
                                                      {"floor", operation::floor, false},
                                                      {"ceil", operation::ceiling, false},
                                                      {"min", operation::smaller, true},
                                                      {"max", operation::larger, true}}};

  // -- text -----------------------------------------------------------------

  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
  }
  [[nodiscard]] char peek() {
    skip_blanks();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char c) {
    if (at_end() || peek() != c)
      return false;
    ++at_;
    return true;
  }
  [[nodiscard]] bool at_end() {
    skip_blanks();
    return at_ >= text_.size();
  }
  void fail_here(const std::string& why) {
    if (!failed_)
      why_ = fmt::format("{} (at character {})", why, at_ + 1);
    failed_ = true;
  }

  // -- program --------------------------------------------------------------

  void push(expression::step step) {
    out_.program_.push_back(step);
    if (++height_ > expression::stack)
      fail_here(fmt::format("more than {} values wait for an operator", expression::stack));
  }
  void unary(operation what) { out_.program_.push_back({what, 0, 0}); }
  void binary(operation what) {
    out_.program_.push_back({what, 0, 0});
    --height_;
  }

  // -- grammar --------------------------------------------------------------

  void sum() {
    if (++depth_ > deepest)
      fail_here(fmt::format("nested deeper than {}", deepest));
    product();
    while (!failed_) {
      const bool adds = take('+');
      if (!adds && !take('-'))
        break;
      product();
      binary(adds ? operation::add : operation::subtract);
    }
    --depth_;
  }

  void product() {
    signed_operand();
    while (!failed_) {
      const bool multiplies = take('*');
      if (!multiplies && !take('/'))
        break;
      signed_operand();
      binary(multiplies ? operation::multiply : operation::divide);
    }
  }

  void signed_operand() {
    std::size_t signs = 0;
    while (!failed_ && take('-'))
      ++signs;
    if (!failed_)
      operand();
    for (; signs > 0 && !failed_; --signs)
      unary(operation::negate);
  }

  void operand() {
    if (at_end()) {
      fail_here("a value is missing at the end");
    } else if (take('(')) {
      sum();
      if (!failed_ && !take(')'))
        fail_here("\")\" is missing");
    } else if (const char c = peek(); is_digit(c) || c == '.') {
      number();
    } else if (c == '`') {
      const auto close = text_.find('`', at_ + 1);
      if (close == std::string_view::npos)
        return fail_here("\"`\" without a second one");
      const auto name = text_.substr(at_ + 1, close - at_ - 1);
      field(name);
      at_ = close + 1;
    } else if (starts_name(c)) {
      name();
    } else {
      fail_here(fmt::format("\"{}\" is not expected", c));
    }
  }

  void number() {
    double value = 0;
    const auto [end, problem] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (problem != std::errc{} || !std::isfinite(value))
      return fail_here("this is no number");
    at_ = static_cast<std::size_t>(end - text_.data());
    push({operation::constant, 0, value});
  }

  void name() {
    auto end = at_;
    while (end < text_.size() && (starts_name(text_[end]) || is_digit(text_[end])))
      ++end;
    const auto word = text_.substr(at_, end - at_);
    const auto before = std::exchange(at_, end);
    if (peek() == '(') {
      call(word, before);
    } else {
      at_ = before;
      field(word);
      at_ = end;
    }
  }

  void field(std::string_view word) {
    for (auto slot = inputs_.size(); slot-- > 0;) {
      if (inputs_[slot].name != word)
        continue;
      const auto type = inputs_[slot].type;
      if (type != ml::field_type::int64 && type != ml::field_type::float64)
        wrong_type_ = slot;
      return push({operation::field, static_cast<std::uint32_t>(slot), 0});
    }
    std::vector<std::string> known;
    for (const auto& input : inputs_)
      known.push_back(input.name);
    const auto near = nearest(word, known);
    fail_here(fmt::format("there is no field {} here{}", word, near ? fmt::format("; did you mean {}?", *near) : ""));
  }

  void call(std::string_view word, std::size_t before) {
    const auto found = std::ranges::find(functions, word, &function::name);
    if (found == functions.end()) {
      std::vector<std::string> known;
      for (const auto& f : functions)
        known.emplace_back(f.name);
      const auto near = nearest(word, known);
      at_ = before;
      return fail_here(fmt::format("there is no function {}; {}", word,
                                   near ? fmt::format("did you mean {}?", *near)
                                        : fmt::format("there are {}", fmt::join(known, ", "))));
    }
    (void)take('(');
    sum();
    std::size_t arguments = 1;
    while (!failed_ && take(',')) {
      sum();
      ++arguments;
      if (found->takes_many)
        binary(found->what);
    }
    if (!failed_ && !take(')'))
      return fail_here("\")\" is missing");
    if (!failed_ && (found->takes_many ? arguments < 2 : arguments != 1)) {
      at_ = before;
      return fail_here(fmt::format("{} takes {}", word, found->takes_many ? "two or more values" : "one value"));
    }
    if (!found->takes_many)
      unary(found->what);
  }

  std::string_view text_;
  std::span<const expression_input> inputs_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::size_t height_ = 0;
  bool failed_ = false;
  std::string why_;
  std::optional<std::size_t> wrong_type_;
  expression out_;
};

result<expression> expression::compile(std::string_view text, std::span<const expression_input> inputs) {
  return expression_compiler(text, inputs).compile();
}

bool expression::reads(std::size_t slot) const {
  return std::ranges::any_of(program_,
                             [&](const step& each) { return each.what == operation::field && each.slot == slot; });
}

double expression::apply(operation what, double a) {
  switch (what) {
  case operation::negate:
    return -a;
  case operation::absolute:
    return std::fabs(a);
  case operation::square_root:
    return std::sqrt(a);
  case operation::logarithm:
    return std::log(a);
  case operation::exponential:
    return std::exp(a);
  case operation::floor:
    return std::floor(a);
  case operation::ceiling:
    return std::ceil(a);
  default:
    return a;
  }
}

double expression::apply(operation what, double a, double b) {
  switch (what) {
  case operation::add:
    return a + b;
  case operation::subtract:
    return a - b;
  case operation::multiply:
    return a * b;
  case operation::divide:
    return a / b;
  case operation::smaller:
    return b < a ? b : a;
  default:
    return a < b ? b : a;
  }
}

cell expression::evaluate(std::span<const cell> cells, bool& undefined) const {
  if (lone_) {
    const auto& value = cells[*lone_];
    if (value.what != cell::kind::float64 || std::isfinite(value.number))
      return value;
    undefined = true;
    return {};
  }
  std::array<double, stack> values; // NOLINT: the program writes each place before it reads it
  std::size_t height = 0;
  for (const auto& next : program_) {
    if (next.what == operation::constant) {
      values[height++] = next.number;
      continue;
    }
    if (next.what == operation::field) {
      const auto& value = cells[next.slot];
      if (value.is_null())
        return {};
      values[height++] = value.as_number();
    } else if (next.what >= operation::negate && next.what <= operation::ceiling) {
      values[height - 1] = apply(next.what, values[height - 1]);
    } else {
      --height;
      values[height - 1] = apply(next.what, values[height - 1], values[height]);
    }
    // Every step is looked at, so that no later one can hide what went wrong: 1 / exp(1000) is not 0.
    if (!std::isfinite(values[height - 1])) {
      undefined = true;
      return {};
    }
  }
  return cell::of(values[0]);
}

} // namespace penstock::runtime
