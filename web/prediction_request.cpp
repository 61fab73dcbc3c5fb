// SPDX-License-Identifier: Apache-2.0
#include "web/prediction_request.hpp"

#include "web/model_json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <charconv>
#include <cmath>
#include <limits>

namespace penstock::web {

namespace {

constexpr float missing = std::numeric_limits<float>::quiet_NaN();

error in_field(const ml::field_spec& field, const std::string& what) {
  return {errc::invalid, field.name + ": " + what};
}

/// A number that was checked against its field, as the model takes it.
result<float> checked(const ml::field_spec& field, double number) {
  ml::value value = number;
  if (field.type == ml::field_type::int64) {
    if (!(std::abs(number) <= 0x1p53) || number != std::floor(number))
      return in_field(field, "must be a whole number");
    value = static_cast<std::int64_t>(number);
  } else if (field.type == ml::field_type::boolean) {
    value = number != 0;
  }
  if (auto good = ml::check(field, value); !good)
    return in_field(field, good.error().text());
  return static_cast<float>(number);
}

result<float> absent(const ml::field_spec& field) {
  if (!field.nullable)
    return in_field(field, "is missing");
  return missing;
}

result<float> from_json(const ml::field_spec& field, const document& value) {
  if (value.is_null())
    return absent(field);
  if (field.type == ml::field_type::boolean && value.is_boolean())
    return value.get<bool>() ? 1.0F : 0.0F;
  if (!value.is_number())
    return in_field(field, "must be a number, not " + std::string(value.type_name()));
  return checked(field, value.get<double>());
}

result<float> from_text(const ml::field_spec& field, std::string_view text) {
  while (!text.empty() && text.front() == ' ')
    text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ')
    text.remove_suffix(1);
  if (text.empty())
    return absent(field);
  if (field.type == ml::field_type::boolean && (text == "true" || text == "false"))
    return text == "true" ? 1.0F : 0.0F;
  double number = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (wrong != std::errc{} || end != text.data() + text.size() || !std::isfinite(number))
    return in_field(field, fmt::format("must be a number, not \"{}\"", text));
  return checked(field, number);
}

status add_named(feature_rows& to, const document& object, const ml::schema& features) {
  for (const auto& field : features.fields()) {
    const auto found = object.find(field.name);
    auto value = found == object.end() ? absent(field) : from_json(field, *found);
    if (!value)
      return value.error();
    to.values.push_back(*value);
  }
  ++to.count;
  return {};
}

status add_ordered(feature_rows& to, const document& array, const ml::schema& features) {
  if (array.size() != features.size())
    return fail(errc::invalid, "{} values were given, the model takes {}", array.size(), features.size());
  for (std::size_t i = 0; i < features.size(); ++i) {
    auto value = from_json(features.fields()[i], array[i]);
    if (!value)
      return value.error();
    to.values.push_back(*value);
  }
  ++to.count;
  return {};
}

} // namespace

result<feature_rows> read_instances(std::string_view body, const ml::schema& features) {
  const auto content = document::parse(body, nullptr, false);
  if (content.is_discarded())
    return fail(errc::invalid, "the body is not valid JSON");
  const auto instances = content.is_object() ? content.find("instances") : content.end();
  if (!content.is_object() || instances == content.end() || !instances->is_array())
    return fail(errc::invalid, "the body must be an object with a list \"instances\"");
  feature_rows out;
  for (std::size_t i = 0; i < instances->size(); ++i) {
    const auto& each = (*instances)[i];
    status added = each.is_object()  ? add_named(out, each, features)
                   : each.is_array() ? add_ordered(out, each, features)
                                     : status{fail(errc::invalid, "must be an object or a list")};
    if (!added)
      return added.error().in(fmt::format("instances[{}]", i));
  }
  return out;
}

result<feature_rows> read_row(const document& named, const ml::schema& features) {
  feature_rows out;
  if (auto added = add_named(out, named, features); !added)
    return added.error();
  return out;
}

result<feature_rows> read_row(const std::map<std::string, std::string>& form, const ml::schema& features) {
  feature_rows out;
  for (const auto& field : features.fields()) {
    const auto found = form.find(field.name);
    auto value = found == form.end() ? absent(field) : from_text(field, found->second);
    if (!value)
      return value.error();
    out.values.push_back(*value);
  }
  ++out.count;
  return out;
}

std::vector<double> predict(const ml::model_package& package, const feature_rows& rows) {
  std::vector<double> out(rows.count * package.model->outputs());
  package.model->predict(rows.values, out);
  return out;
}

const std::vector<std::string>& classes_of(const ml::model_package& package) {
  static const std::vector<std::string> none;
  const auto& fields = package.output.fields();
  // A package whose names do not fit its outputs is served as numbers: an index must never go astray.
  return fields.empty() || fields.front().one_of.size() != package.model->outputs() ? none : fields.front().one_of;
}

std::string prediction_json(const ml::model_package& package, std::span<const double> answer) {
  const auto& classes = classes_of(package);
  if (classes.empty())
    return number_text(answer.front());
  return dump_line(class_json(classes[ml::most_probable(answer)], package.output.fields().front().type));
}

std::string probabilities_json(const ml::model_package& package, std::span<const double> answer) {
  const auto& classes = classes_of(package);
  std::string out = "{";
  for (std::size_t i = 0; i < classes.size(); ++i)
    out += (i == 0 ? "" : ", ") + dump_line(classes[i]) + ": " + number_text(answer[i]);
  return out + "}";
}

std::string number_text(double value) {
  return std::isfinite(value) ? fmt::format("{}", value) : "null";
}

} // namespace penstock::web
