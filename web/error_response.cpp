// SPDX-License-Identifier: Apache-2.0
#include "web/error_response.hpp"

#include <nlohmann/json.hpp>

namespace penstock::web {

namespace {

using document = nlohmann::ordered_json;

std::string dump(const document& content) {
  return content.dump(-1, ' ', false, document::error_handler_t::replace) + "\n";
}

int status_of(errc code) {
  switch (code) {
  case errc::not_found:
    return 404;
  case errc::conflict:
    return 409;
  case errc::invalid:
  case errc::usage:
    return 400;
  case errc::permission:
    return 403;
  case errc::try_again:
  case errc::unavailable:
  case errc::timeout:
    return 503;
  default:
    return 500;
  }
}

http_response problem(int status, const std::string& detail, const char* code) {
  document body{{"type", "about:blank"}, {"title", reason_phrase(status)}, {"status", status}, {"detail", detail}};
  if (code != nullptr)
    body["code"] = code;
  return {status, "application/problem+json", dump(body), {}};
}

http_response make(area where, int status, const std::string& detail, const char* code) {
  http_response out;
  if (where == area::api)
    out = problem(status, detail, code);
  else if (where == area::inference)
    out = {status, "application/json", dump({{"error", detail}}), {}};
  else
    out = {status, "text/plain; charset=utf-8", detail + "\n", {}};
  if (status == 429 || status == 503)
    out.headers.emplace_back("Retry-After", "1");
  return out;
}

} // namespace

area area_of(const request_target& target) {
  const auto& first = target.segments.front();
  if (first == "api")
    return area::api;
  return first == "v1" || first == "v2" || first == "predict" ? area::inference : area::page;
}

http_response error_response(area where, int status, const std::string& detail) {
  return make(where, status, detail, nullptr);
}

http_response error_response(area where, const error& why) {
  return make(where, status_of(why.code()), why.text(), name_of(why.code()));
}

const char* reason_phrase(int status) {
  switch (status) {
  case 200:
    return "OK";
  case 400:
    return "Bad Request";
  case 403:
    return "Forbidden";
  case 404:
    return "Not Found";
  case 405:
    return "Method Not Allowed";
  case 408:
    return "Request Timeout";
  case 409:
    return "Conflict";
  case 413:
    return "Content Too Large";
  case 415:
    return "Unsupported Media Type";
  case 417:
    return "Expectation Failed";
  case 431:
    return "Request Header Fields Too Large";
  case 500:
    return "Internal Server Error";
  case 503:
    return "Service Unavailable";
  default:
    return "Error";
  }
}

} // namespace penstock::web
