// SPDX-License-Identifier: Apache-2.0
#include "base/spelling.hpp"
#include "tools/api_client.hpp"
#include "tools/resource_table.hpp"
#include "tools/verbs.hpp"
#include "web/http_message.hpp"

#include <boost/program_options/value_semantic.hpp>
#include <nlohmann/json.hpp>

namespace penstock::tools {

namespace {

verb_page page_of_get() {
  namespace po = boost::program_options;
  verb_page page{.name = "get",
                 .arguments = "NOUN",
                 .text = "Lists what a running node knows: actors, shards, sources, trainings, topics, models, runs,\n"
                         "events, dead-letters or nodes.",
                 .examples = {"penstock get actors", "penstock get shards -o wide",
                              "penstock get actors --filter kind=predictor -o name",
                              "penstock get dead-letters --stream house-prices -o jsonl | jq .headers.cause"},
                 .least = 1,
                 .most = 1};
  add_format_option(page, "table, wide, json, jsonl, yaml or name");
  page.options.add_options()                                                                                     //
      ("filter", po::value<std::string>()->value_name("FIELD=TEXT"), "only items whose field contains the text") //
      ("stream", po::value<std::string>()->value_name("NAME"), "dead letters of this stream only");
  add_url_option(page);
  return page;
}

error unknown_noun(const std::string& word, std::span<const resource> known) {
  std::vector<std::string> names;
  std::string list;
  for (const auto& each : known) {
    names.emplace_back(each.noun);
    list += (list.empty() ? "" : ", ") + names.back();
  }
  const auto near = nearest(word, names);
  return fail(errc::usage, "unknown noun \"{}\"{}; choose from {}", word,
              near ? ", did you mean \"" + *near + "\"?" : "", list);
}

std::string query_of(const parsed_line& parsed) {
  std::string query;
  for (const char* name : {"filter", "stream"})
    if (const auto value = parsed.value(name))
      query += (query.empty() ? "" : "&") + std::string(name) + "=" + web::percent_encode(*value);
  return query;
}

void print(console& to, const resource& what, const std::vector<document>& items, output_format format) {
  switch (format) {
  case output_format::table:
  case output_format::wide:
    (void)to.out(table_of(what, items, format == output_format::wide));
    return;
  case output_format::name:
    for (const auto& item : items)
      (void)to.out(name_of(what, item) + "\n");
    return;
  default:
    (void)to.out(as_text(document(items), format));
  }
}

int get(const parsed_line& parsed, console& to) {
  const auto* what = find_resource(parsed.arguments[0]);
  if (what == nullptr)
    return to.report(unknown_noun(parsed.arguments[0], resources()));
  const auto format = format_of(parsed, {output_format::table, output_format::wide, output_format::json,
                                         output_format::jsonl, output_format::yaml, output_format::name});
  if (!format)
    return to.report(format.error());
  const auto client = api_client::of(parsed);
  if (!client)
    return to.report(client.error());
  std::vector<document> items;
  const auto listed = client->list(what->noun, query_of(parsed), [&](document item) {
    if (*format == output_format::jsonl)
      return to.out(as_text(item, *format));
    items.push_back(std::move(item));
    return true;
  });
  if (!listed)
    return to.report(listed.error());
  if (*format != output_format::jsonl)
    print(to, *what, items, *format);
  return 0;
}

} // namespace

int get_verb(words line, console& to) {
  return with_line(page_of_get(), line, to, [&](const parsed_line& parsed) { return get(parsed, to); });
}

} // namespace penstock::tools
