// SPDX-License-Identifier: Apache-2.0
#include "base/file.hpp"
#include "tools/api_client.hpp"
#include "tools/model_text.hpp"
#include "tools/verbs.hpp"
#include "web/http_message.hpp"
#include "web/model_json.hpp"

#include <boost/program_options/value_semantic.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>

namespace penstock::tools {

namespace {

constexpr std::uint64_t largest_package = std::uint64_t{4} << 30;

int list(words line, console& to) {
  std::vector<std::string> all{"models"};
  all.insert(all.end(), line.begin(), line.end());
  return get_verb(all, to);
}

verb_page page_of_describe() {
  verb_page page{.name = "model describe",
                 .arguments = "[NAME[:VERSION|@ALIAS]]",
                 .text =
                     "Shows everything about a version of a model: learner and parameters, inputs, what it predicts,\n"
                     "metrics, importances, where it comes from, and which code path serves it on this machine.\n"
                     "Without a version it is the one that streams use, @champion. With --file it is a package\n"
                     "file and needs no node. Exit codes: 3 no such model or file, 5 the package is damaged.",
                 .examples = {"penstock model describe house-prices", "penstock model describe house-prices:2 -o yaml",
                              "penstock model describe --file penstock-data/models/DIGEST.model"},
                 .least = 0,
                 .most = 1};
  page.options.add_options()("file", boost::program_options::value<std::string>()->value_name("PACKAGE"),
                             "describe this package file");
  add_format_option(page, "table, json or yaml");
  add_url_option(page);
  return page;
}

result<document> describe_file(const std::string& file) {
  const auto bytes = read_file(file, largest_package);
  if (!bytes)
    return bytes.error();
  const auto loaded = ml::decode_package(*bytes);
  if (!loaded)
    return loaded.error().in(file);
  return web::to_json(*loaded->package, loaded->digest, bytes->size());
}

int print(const result<document>& model, output_format format, console& to) {
  if (!model)
    return to.report(model.error());
  (void)to.out(format == output_format::table ? model_text(*model) : as_text(*model, format));
  return 0;
}

int describe(words line, console& to) {
  return with_line(page_of_describe(), line, to, [&](const parsed_line& parsed) {
    const auto format = format_of(parsed, {output_format::table, output_format::json, output_format::yaml});
    if (!format)
      return to.report(format.error());
    const auto file = parsed.value("file");
    if (file.has_value() == !parsed.arguments.empty())
      return to.report(fail(errc::usage, "name either a model or a package with --file"));
    if (file)
      return print(describe_file(*file), *format, to);
    const auto client = api_client::of(parsed);
    if (!client)
      return to.report(client.error());
    return print(describe_model(*client, parsed.arguments[0]), *format, to);
  });
}

constexpr std::array model_verbs{
    verb{"list", "List models with their versions, aliases and metrics", list},
    verb{"describe", "Show everything about a model, or about a package file", describe},
};

} // namespace

result<document> describe_model(const api_client& client, const std::string& which) {
  // Names have neither of the two characters.
  const auto cut = which.find_first_of(":@");
  const auto name = which.substr(0, cut);
  const auto version = cut == std::string::npos ? "champion" : which.substr(cut + 1);
  if (name.empty() || version.empty())
    return fail(errc::usage, "\"{}\" is no model; write NAME, NAME:VERSION or NAME@ALIAS", which);
  return client.get("models/" + web::percent_encode(name) + "/versions/" + web::percent_encode(version));
}

int model_verb(words line, console& to) {
  return dispatch("penstock model", "Shows models: what was trained, and what serves.", model_verbs, line, to);
}

} // namespace penstock::tools
