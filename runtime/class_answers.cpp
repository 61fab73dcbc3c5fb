// SPDX-License-Identifier: Apache-2.0
#include "runtime/class_answers.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace penstock::runtime {

namespace {

std::int64_t integer_of(const std::string& text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

cell cell_of(const std::string& name, ml::field_type type) {
  if (type == ml::field_type::int64)
    return cell::of(integer_of(name));
  if (type == ml::field_type::boolean)
    return cell::of(name == "true");
  return cell::of(std::string_view(name));
}

/// For messages: at most the first ten.
std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t most = 10;
  std::string out;
  for (std::size_t i = 0; i < std::min(most, names.size()); ++i)
    out += (i == 0 ? "" : ", ") + names[i].substr(0, 40);
  return names.size() > most ? fmt::format("{}, … ({} classes)", out, names.size()) : out;
}

} // namespace

class_answers::class_answers(const stream_spec& stream) : stream_(stream.name), names_(stream.classes) {
  for (const auto& name : names_)
    values_.push_back(cell_of(name, stream.prediction));
}

result<std::vector<expression_input>> class_answers::keep_used(std::vector<expression_input> all, std::size_t fixed,
                                                               const stream_spec& stream) {
  std::vector<bool> used(all.size());
  const auto first_output = all.size();
  for (const auto& [name, text] : stream.output_fields) {
    const auto compiled = expression::compile(text, all);
    if (!compiled)
      return compiled.error().in(fmt::format("stream {}: output field {}", stream.name, name));
    for (std::size_t slot = 0; slot < first_output; ++slot)
      used[slot] = used[slot] || compiled->reads(slot);
    all.push_back({name, compiled->type()});
  }
  std::vector<expression_input> kept;
  for (std::size_t slot = 0; slot < first_output; ++slot) {
    const auto& name = all[slot].name;
    if (slot > fixed && !used[slot] && name != stream.evaluate_actual && name != stream.evaluate_predicted)
      continue;
    if (slot > fixed)
      asked_.push_back(slot == fixed + 1 ? of_predicted : slot - fixed - 2);
    kept.push_back(all[slot]);
  }
  return kept;
}

status class_answers::follow(const serving_model& model) {
  const auto& answer = model.package->output.fields();
  const auto classes = answer.empty() ? std::vector<std::string>{} : answer.front().one_of;
  const auto outputs = model.package->model->outputs();
  if (outputs != std::max<std::size_t>(classes.size(), 1))
    return fail(errc::configuration,
                "model {} version {} answers {} numbers, its package names {} classes; train it "
                "again",
                model.name, model.version, outputs, classes.size());
  auto ours = names_;
  auto theirs = classes;
  std::ranges::sort(ours);
  std::ranges::sort(theirs);
  if (ours != theirs) {
    const auto is =
        classes.empty() ? std::string("predicts a number") : "tells the classes " + listed(classes) + " apart";
    const auto wanted = names_.empty() ? std::string("declares no classes") : "declares the classes " + listed(names_);
    return fail(errc::configuration,
                "model {} version {} {}, but stream {} {}; make `classes` of the stream what the "
                "model has, or train a model that fits",
                model.name, model.version, is, stream_, wanted);
  }
  column_of_.clear();
  number_at_.resize(classes.size());
  for (std::uint32_t number = 0; number < names_.size(); ++number) {
    const auto column = static_cast<std::size_t>(std::ranges::find(classes, names_[number]) - classes.begin());
    column_of_.push_back(column);
    number_at_[column] = number;
  }
  return {};
}

void class_answers::fill(std::span<const double> answer, std::span<cell> to) const {
  if (none()) {
    to[0] = cell::of(answer[0]);
    return;
  }
  const auto best = ml::most_probable(answer);
  to[0] = values_[number_at_[best]];
  for (std::size_t i = 0; i < asked_.size(); ++i)
    to[i + 1] = cell::of(answer[asked_[i] == of_predicted ? best : column_of_[asked_[i]]]);
}

std::optional<std::uint32_t> class_answers::number_of(const cell& value) const {
  const auto place = [&](auto found) -> std::optional<std::uint32_t> {
    if (found == values_.end())
      return std::nullopt;
    return static_cast<std::uint32_t>(found - values_.begin());
  };
  switch (values_.front().what) {
  case cell::kind::int64: {
    const bool whole = value.what == cell::kind::float64 && std::abs(value.number) < 0x1p63 &&
                       value.number == std::floor(value.number);
    if (value.what != cell::kind::int64 && !whole)
      return std::nullopt;
    const auto wanted = whole ? static_cast<std::int64_t>(value.number) : value.integer;
    const auto found = std::ranges::lower_bound(values_, wanted, {}, [](const cell& each) { return each.integer; });
    return place(found != values_.end() && found->integer == wanted ? found : values_.end());
  }
  case cell::kind::boolean:
    if (value.what != cell::kind::boolean)
      return std::nullopt;
    return value.flag ? 1 : 0;
  default: {
    if (value.what != cell::kind::string)
      return std::nullopt;
    const auto wanted = value.string();
    const auto found = std::ranges::lower_bound(values_, wanted, {}, [](const cell& each) { return each.string(); });
    return place(found != values_.end() && found->string() == wanted ? found : values_.end());
  }
  }
}

} // namespace penstock::runtime
