// SPDX-License-Identifier: Apache-2.0
#include "base/spelling.hpp"
#include "tools/api_client.hpp"
#include "tools/model_text.hpp"
#include "tools/resource_table.hpp"
#include "tools/verbs.hpp"
#include "web/http_message.hpp"

#include <nlohmann/json.hpp>

#include <array>

namespace penstock::tools {

namespace {

constexpr std::array describable{"actor", "shard", "model", "topic"};

verb_page page_of_describe() {
  verb_page page{
      .name = "describe",
      .arguments = "NOUN NAME",
      .text = "Shows everything about one actor, shard, model or topic, with the latest events about it.",
      .examples = {"penstock describe actor house-prices/predictor/3", "penstock describe model house-prices -o yaml"},
      .least = 2,
      .most = 2};
  add_format_option(page, "table, json or yaml");
  add_url_option(page);
  return page;
}

error unknown_noun(const std::string& word) {
  const std::vector<std::string> names(describable.begin(), describable.end());
  const auto near = nearest(word, names);
  return fail(errc::usage, "cannot describe \"{}\"{}; choose from actor, shard, model, topic", word,
              near ? ", did you mean \"" + *near + "\"?" : "");
}

/// Encodes a name, leaving its slashes: they are part of the path.
std::string path_of(const std::string& name) {
  std::string out;
  for (std::size_t at = 0;;) {
    const auto slash = name.find('/', at);
    out += web::percent_encode(name.substr(at, slash - at));
    if (slash == std::string::npos)
      return out;
    out += '/';
    at = slash + 1;
  }
}

std::string events_about(const api_client& client, const std::string& name) {
  std::vector<document> items;
  const auto listed = client.list("events", "filter=" + web::percent_encode("subject=" + name), [&](document item) {
    if (item.value("subject", "") == name)
      items.push_back(std::move(item));
    return items.size() < 10;
  });
  if (!listed || items.empty())
    return "";
  return "\nEvents, newest first:\n" + table_of(*find_resource("events"), items, false);
}

int describe(const parsed_line& parsed, console& to) {
  const auto* what = find_resource(parsed.arguments[0]);
  if (what == nullptr || std::ranges::find(describable, std::string(what->singular)) == describable.end())
    return to.report(unknown_noun(parsed.arguments[0]));
  const auto format = format_of(parsed, {output_format::table, output_format::json, output_format::yaml});
  if (!format)
    return to.report(format.error());
  const auto client = api_client::of(parsed);
  if (!client)
    return to.report(client.error());
  const auto& name = parsed.arguments[1];
  const bool model = what->singular == std::string("model");
  const auto item = model ? describe_model(*client, name) : client->get(std::string(what->noun) + "/" + path_of(name));
  if (!item)
    return to.report(item.error());
  if (*format == output_format::table)
    (void)to.out((model ? model_text(*item) : details_of(*item)) + events_about(*client, name));
  else
    (void)to.out(as_text(*item, *format));
  return 0;
}

} // namespace

int describe_verb(words line, console& to) {
  return with_line(page_of_describe(), line, to, [&](const parsed_line& parsed) { return describe(parsed, to); });
}

} // namespace penstock::tools
