// SPDX-License-Identifier: Apache-2.0
#include "runtime/application.hpp"
#include "tools/application_text.hpp"
#include "tools/verbs.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>

namespace penstock::tools {

namespace {

int validate(words line, console& to) {
  const verb_page page{.name = "config validate",
                       .arguments = "FILE",
                       .text = "Checks an application file and reports all mistakes at once, with their lines.\n"
                               "Exit code 0 when it is good, 78 when it is not.",
                       .examples = {"penstock config validate pipelines/house-prices.yaml"},
                       .least = 1,
                       .most = 1};
  return with_line(page, line, to, [&](const parsed_line& parsed) {
    const auto& file = parsed.arguments[0];
    const auto application = runtime::load_application(file, runtime::environment());
    if (!application)
      return to.report(application.error());
    (void)to.out(fmt::format("{}: application {} is valid: {} topics, {} data sets, {} trainings, {} sources, "
                             "{} streams\n",
                             file, application->name, application->topics.size(), application->datasets.size(),
                             application->trainings.size(), application->sources.size(), application->streams.size()));
    return 0;
  });
}

int show(words line, console& to) {
  verb_page page{.name = "config show",
                 .arguments = "FILE",
                 .text = "Prints the effective configuration: variables replaced, every default filled in.",
                 .examples = {"penstock config show pipelines/house-prices.yaml",
                              "penstock config show pipelines/house-prices.yaml -o json | jq .streams"},
                 .least = 1,
                 .most = 1};
  add_format_option(page, "yaml or json");
  return with_line(page, line, to, [&](const parsed_line& parsed) {
    const auto format = format_of(parsed, {output_format::yaml, output_format::json});
    if (!format)
      return to.report(format.error());
    const auto application = runtime::load_application(parsed.arguments[0], runtime::environment());
    if (!application)
      return to.report(application.error());
    (void)to.out(as_text(as_document(*application), *format));
    return 0;
  });
}

constexpr std::array config_verbs{
    verb{"validate", "Check an application file", validate},
    verb{"show", "Print the effective configuration", show},
};

} // namespace

int config_verb(words line, console& to) {
  return dispatch("penstock config", "Works on an application file; starts and changes nothing.", config_verbs, line,
                  to);
}

} // namespace penstock::tools
