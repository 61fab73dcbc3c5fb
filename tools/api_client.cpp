// SPDX-License-Identifier: Apache-2.0
#include "tools/api_client.hpp"

#include <boost/program_options/value_semantic.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdlib>

namespace penstock::tools {

namespace {

constexpr const char* default_url = "http://127.0.0.1:7780";
constexpr auto limit = std::chrono::seconds(10);

errc code_of(int status) {
  switch (status) {
  case 400:
    return errc::invalid;
  case 403:
    return errc::permission;
  case 404:
    return errc::not_found;
  case 409:
    return errc::conflict;
  case 503:
    return errc::unavailable;
  default:
    return errc::failed;
  }
}

} // namespace

void add_url_option(verb_page& page) {
  page.options.add_options()("url", boost::program_options::value<std::string>()->value_name("URL"),
                             "a node's HTTP address (default $PENSTOCK_URL, else http://127.0.0.1:7780)");
}

result<api_client> api_client::of(const parsed_line& line) {
  const char* variable = std::getenv("PENSTOCK_URL");
  const std::string fallback = variable != nullptr && *variable != '\0' ? variable : default_url;
  auto address = web::parse_http_url(line.value("url").value_or(fallback));
  if (!address)
    return address.error();
  if (!address->path.empty() && address->path != "/")
    return fail(errc::usage, "the URL of a node has no path; \"{}\" is one", address->path);
  api_client out;
  out.address_ = *std::move(address);
  return out;
}

result<document> api_client::get(const std::string& target) const {
  return exchange(target, "");
}

result<document> api_client::post(const std::string& target) const {
  return exchange(target, "{}");
}

result<document> api_client::exchange(const std::string& target, const std::string& body) const {
  const auto answer = web::http_exchange(address_, "/api/v1/" + target, body, limit);
  if (!answer) {
    if (answer.error().code() != errc::unavailable)
      return answer.error();
    return fail(errc::unavailable,
                "{}; is a node running? Start one with penstock run FILE or penstock node, or name it with --url or "
                "$PENSTOCK_URL",
                answer.error().text());
  }
  auto content = document::parse(answer->body, nullptr, false);
  if (answer->status == 200 && !content.is_discarded())
    return content;
  const auto detail = content.is_object() && content.contains("detail") && content["detail"].is_string()
                          ? content["detail"].get<std::string>()
                          : fmt::format("http://{}:{} answered {}; is that a Penstock node?", address_.host,
                                        address_.port, answer->status);
  return error(code_of(answer->status), detail);
}

status api_client::list(const std::string& noun, const std::string& query,
                        const std::function<bool(document)>& each) const {
  std::string cursor;
  while (true) {
    auto target =
        noun + "?limit=1000" + (query.empty() ? "" : "&" + query) + (cursor.empty() ? "" : "&cursor=" + cursor);
    auto page = get(target);
    if (!page)
      return page.error();
    if (!page->is_object() || !page->contains("items") || !page->contains("next"))
      return fail(errc::invalid, "the answer for {} is not a list", noun);
    for (auto& item : (*page)["items"])
      if (!each(std::move(item)))
        return {};
    const auto& next = (*page)["next"];
    if (!next.is_string())
      return {};
    cursor = next.get<std::string>();
  }
}

} // namespace penstock::tools
