// SPDX-License-Identifier: Apache-2.0
#include "web/prediction_routes.hpp"

#include "web/error_response.hpp"
#include "web/prediction_page.hpp"
#include "web/prediction_request.hpp"
#include "web/served_models.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace penstock::web {

namespace {

using shared_models = std::shared_ptr<served_models>;
using form = std::map<std::string, std::string>;

constexpr const char* model_field = "_model";

http_response refused(const error& why) {
  return error_response(area::inference, why);
}

http_response json(const document& body) {
  return {200, "application/json", dump_line(body) + "\n", {}};
}

http_response html(int status, const prediction_page& page) {
  http_response out{status, "text/html; charset=utf-8", html_of(page), {}};
  out.headers.emplace_back("Content-Security-Policy",
                           "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'");
  if (status == 503)
    out.headers.emplace_back("Retry-After", "1");
  return out;
}

http_response predict_v1(served_models& models, const http_request& request) {
  const auto model = models.find(request.captured.at("model"));
  if (!model)
    return refused(model.error());
  const auto& package = *(*model)->package;
  const auto rows = read_instances(request.body, package.input);
  if (!rows)
    return refused(rows.error());
  const auto wanted = request.target.parameter("probabilities").value_or("false");
  if (wanted != "true" && wanted != "false")
    return refused(fail(errc::invalid, "probabilities must be true or false, not \"{}\"", wanted));
  if (wanted == "true" && classes_of(package).empty())
    return refused(fail(errc::invalid, "model {} predicts numbers; there are no probabilities", (*model)->name));
  const auto answers = predict(package, *rows);
  const auto width = package.model->outputs();
  // Written by hand: every number must read back as the same bits.
  std::string predictions, probabilities;
  for (std::size_t i = 0; i < rows->count; ++i) {
    const auto answer = std::span(answers).subspan(i * width, width);
    predictions += (i == 0 ? "" : ", ") + prediction_json(package, answer);
    if (wanted == "true")
      probabilities += (i == 0 ? "" : ", ") + probabilities_json(package, answer);
  }
  auto body = "{\"predictions\": [" + predictions + "]";
  if (wanted == "true")
    body += ", \"probabilities\": [" + probabilities + "]";
  return {200, "application/json", body + "}\n", {}};
}

http_response model_v1(served_models& models, const http_request& request) {
  const auto model = models.find(request.captured.at("model"));
  return model ? json({{"name", (*model)->name}, {"ready", true}}) : refused(model.error());
}

/// The model that is meant: the one that is named, or the only one.
result<served_models::model> chosen(served_models& models, const std::string& name) {
  if (!name.empty())
    return models.find(name);
  const auto names = models.names();
  if (names.empty())
    return fail(errc::unavailable, "no model is trained yet");
  if (names.size() == 1)
    return models.find(names.front());
  std::string list;
  for (const auto& each : names)
    list += (list.empty() ? "" : ", ") + each;
  return fail(errc::invalid, "there are several models; say which with \"{}\": {}", model_field, list);
}

std::string predicted_field(const ml::model_package& package) {
  return package.output.size() == 0 ? "prediction" : package.output.fields().front().name;
}

http_response predict_json(served_models& models, const http_request& request) {
  const auto content = document::parse(request.body, nullptr, false);
  if (content.is_discarded() || !content.is_object())
    return refused(fail(errc::invalid, "the body must be a JSON object with a value for each feature"));
  const auto name = content.find(model_field);
  if (name != content.end() && !name->is_string())
    return refused(fail(errc::invalid, "\"{}\" must be the name of a model", model_field));
  const auto model = chosen(models, name == content.end() ? "" : name->get<std::string>());
  if (!model)
    return refused(model.error());
  const auto& package = *(*model)->package;
  const auto rows = read_row(content, package.input);
  if (!rows)
    return refused(rows.error());
  const auto answer = predict(package, *rows);
  const auto probabilities =
      classes_of(package).empty() ? std::string() : ", \"probabilities\": " + probabilities_json(package, answer);
  return {200,
          "application/json",
          fmt::format("{{\"prediction\": {}{}, \"field\": {}, \"model\": {}, \"version\": {}}}\n",
                      prediction_json(package, answer), probabilities, dump_line(predicted_field(package)),
                      dump_line((*model)->name), (*model)->version),
          {}};
}

/// Fills in what the page shows of a model.
void show_model(prediction_page& page, const runtime::serving_model& model) {
  page.model = model.name;
  page.version = model.version;
  page.features = model.package->input;
  page.predicts = predicted_field(*model.package);
}

http_response form_page(served_models& models, const http_request& request) {
  prediction_page page;
  page.models = models.names();
  const auto wanted = request.target.parameter("model").value_or(page.models.empty() ? "" : page.models.front());
  const auto model = chosen(models, wanted);
  if (!model) {
    page.mistake = model.error().text();
    return html(error_response(area::page, model.error()).status, page);
  }
  show_model(page, **model);
  return html(200, page);
}

http_response predict_form(served_models& models, form values) {
  prediction_page page;
  page.models = models.names();
  const auto name = values.find(model_field);
  const auto model = chosen(models, name == values.end() ? "" : name->second);
  page.values = std::move(values);
  if (!model) {
    page.mistake = model.error().text();
    return html(error_response(area::page, model.error()).status, page);
  }
  show_model(page, **model);
  const auto rows = read_row(page.values, page.features);
  if (!rows) {
    page.mistake = rows.error().text();
    return html(400, page);
  }
  const auto& package = *(*model)->package;
  const auto answer = predict(package, *rows);
  const auto& classes = classes_of(package);
  if (classes.empty()) {
    page.prediction = answer.front();
    return html(200, page);
  }
  page.predicted_class = classes[ml::most_probable(answer)];
  for (std::size_t i = 0; i < classes.size(); ++i)
    page.probabilities.emplace_back(classes[i], answer[i]);
  return html(200, page);
}

http_response predict_one(served_models& models, const http_request& request) {
  // curl calls every -d a form: what begins as an object is JSON whatever its label.
  const auto first = request.body.find_first_not_of(" \t\r\n");
  const bool object = first != std::string::npos && request.body[first] == '{';
  if (object || request.content_type == "application/json" || request.content_type.empty())
    return predict_json(models, request);
  if (request.content_type != "application/x-www-form-urlencoded")
    return error_response(area::inference, 415,
                          "the body must be application/json or application/x-www-form-urlencoded, not " +
                              request.content_type);
  auto values = parse_form(request.body);
  return values ? predict_form(models, *std::move(values)) : refused(values.error());
}

} // namespace

void add_prediction_routes(router& to, actors::node_client& client) {
  const auto models = std::make_shared<served_models>(client, system_clock());
  to.add("POST", "/v1/models/{model}:predict",
         [models](const http_request& request) { return predict_v1(*models, request); });
  to.add("GET", "/v1/models", [models](const http_request&) { return json({{"models", models->names()}}); });
  to.add("GET", "/v1/models/{model}", [models](const http_request& request) { return model_v1(*models, request); });
  to.add("POST", "/predict", [models](const http_request& request) { return predict_one(*models, request); });
  to.add("GET", "/", [models](const http_request& request) { return form_page(*models, request); });
}

} // namespace penstock::web
