// SPDX-License-Identifier: Apache-2.0
#include "web/prediction_page.hpp"

#include "web/http_message.hpp"
#include "web/prediction_request.hpp"
#include "web/text_encoding.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

namespace penstock::web {

namespace {

constexpr const char* head = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta content="width=device-width, initial-scale=1" name=viewport>
<title>{0}</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 34rem; padding: 0 1rem; color: #1b1b1b; background: #fff }}
label {{ display: block; margin-top: .8rem; font-weight: 600 }}
input, select, button {{ font: inherit; padding: .4rem .6rem; width: 100%; box-sizing: border-box; border: 1px solid #666; border-radius: .3rem }}
button {{ margin-top: 1.2rem; background: #0b4f8a; color: #fff; border: 0 }}
:focus-visible {{ outline: 3px solid #d97706; outline-offset: 2px }}
.result {{ border-left: .3rem solid #0b4f8a; padding: .4rem 1rem; margin: 1rem 0 }}
.result strong {{ font-size: 1.6rem }}
.mistake {{ border-left: .3rem solid #b00020; padding: .4rem 1rem; margin: 1rem 0 }}
.hint {{ font-weight: 400; color: #555 }}
</style>
</head>
<body>
<main>
<h1>{0}</h1>
)";

std::string attribute(const char* name, const std::string& value) {
  return fmt::format(" {}=\"{}\"", name, escape_html(value));
}

std::string bounds_hint(const ml::field_spec& field) {
  if (field.min && field.max)
    return fmt::format("{} to {}", *field.min, *field.max);
  if (field.min)
    return fmt::format("at least {}", *field.min);
  return field.max ? fmt::format("at most {}", *field.max) : "";
}

std::string choices_of(const ml::field_spec& field, const std::string& value) {
  auto choices = field.one_of;
  if (choices.empty())
    choices = {"true", "false"};
  std::string out;
  for (const auto& each : choices)
    out += fmt::format("<option{}>{}</option>", each == value ? " selected" : "", escape_html(each));
  return out;
}

std::string input_of(const ml::field_spec& field, const std::string& value) {
  const auto name = escape_html(field.name);
  const auto hint = bounds_hint(field);
  auto out = fmt::format("<label for=\"in-{0}\">{0}{1}</label>\n", name,
                         hint.empty() ? "" : " <span class=\"hint\">(" + hint + ")</span>");
  const std::string required = field.nullable ? "" : " required";
  if (!field.one_of.empty() || field.type == ml::field_type::boolean)
    return out + fmt::format("<select id=\"in-{0}\" name=\"{0}\"{1}>{2}</select>\n", name, required,
                             choices_of(field, value));
  auto attributes = attribute("value", value) + required;
  if (field.min)
    attributes += attribute("min", fmt::format("{}", *field.min));
  if (field.max)
    attributes += attribute("max", fmt::format("{}", *field.max));
  return out + fmt::format("<input id=\"in-{0}\" name=\"{0}\" type=\"number\" step=\"{1}\" inputmode=\"decimal\"{2}>\n",
                           name, field.type == ml::field_type::int64 ? "1" : "any", attributes);
}

/// For people: two decimals, or three digits for what would vanish in them.
std::string rounded(double value) {
  return std::abs(value) >= 0.1 || value == 0 ? fmt::format("{:.2f}", value) : fmt::format("{:.3g}", value);
}

/// The class, and the probabilities of the most probable ones.
std::string class_text(const prediction_page& page) {
  constexpr std::size_t most_shown = 20;
  auto shown = page.probabilities;
  std::ranges::stable_sort(shown, std::greater{}, [](const auto& each) { return each.second; });
  shown.resize(std::min(shown.size(), most_shown));
  auto out = fmt::format("<div class=\"result\" role=\"status\">{}: <strong>{}</strong>\n<table>\n"
                         "<caption class=\"hint\">Probabilities, by model {} version {}</caption>\n",
                         escape_html(page.predicts), escape_html(*page.predicted_class), escape_html(page.model),
                         page.version);
  for (const auto& [name, probability] : shown)
    out += fmt::format("<tr><th scope=\"row\">{}</th><td>{:.1f} %</td><td class=\"hint\">{}</td></tr>\n",
                       escape_html(name), probability * 100, number_text(probability));
  return out + "</table>\n</div>\n";
}

std::string other_models(const prediction_page& page) {
  if (page.models.size() < 2)
    return "";
  std::string out = "<nav aria-label=\"Models\"><p>Model:";
  for (const auto& each : page.models)
    out += each == page.model ? fmt::format(" <strong aria-current=\"page\">{}</strong>", escape_html(each))
                              : fmt::format(" <a href=\"/?model={}\">{}</a>", percent_encode(each), escape_html(each));
  return out + "</p></nav>\n";
}

} // namespace

std::string html_of(const prediction_page& page) {
  const auto title = page.model.empty() ? std::string("Penstock") : "Predict with " + escape_html(page.model);
  auto out = fmt::format(fmt::runtime(head), title) + other_models(page);
  if (!page.mistake.empty())
    out += fmt::format("<p class=\"mistake\" role=\"alert\">{}</p>\n", escape_html(page.mistake));
  if (page.prediction)
    out += fmt::format("<p class=\"result\" role=\"status\">{}: <strong>{}</strong><br>"
                       "<span class=\"hint\">exactly {}, by model {} version {}</span></p>\n",
                       escape_html(page.predicts), rounded(*page.prediction), number_text(*page.prediction),
                       escape_html(page.model), page.version);
  if (page.predicted_class)
    out += class_text(page);
  if (!page.model.empty()) {
    out += "<form method=\"post\" action=\"/predict\">\n";
    for (const auto& field : page.features.fields()) {
      const auto value = page.values.find(field.name);
      out += input_of(field, value == page.values.end() ? "" : value->second);
    }
    out += fmt::format("<input type=\"hidden\" name=\"_model\" value=\"{}\">\n<button>Predict</button>\n</form>\n"
                       "<p class=\"hint\">Model {} version {}</p>\n",
                       escape_html(page.model), escape_html(page.model), page.version);
  }
  return out + "</main>\n</body>\n</html>\n";
}

} // namespace penstock::web
