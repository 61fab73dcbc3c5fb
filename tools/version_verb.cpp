// SPDX-License-Identifier: Apache-2.0
#include "base/version.hpp"
#include "tools/output_format.hpp"
#include "tools/verbs.hpp"

#include <nlohmann/json.hpp>

namespace penstock::tools {

int version_verb(words line, console& to) {
  verb_page page{.name = "version",
                 .arguments = "",
                 .text = "Prints the version and what it was built from.",
                 .examples = {"penstock version", "penstock version -o json"}};
  add_format_option(page, "table, json or yaml");
  return with_line(page, line, to, [&](const parsed_line& parsed) {
    const auto format = format_of(parsed, {output_format::table, output_format::json, output_format::yaml});
    if (!format)
      return to.report(format.error());
    const document content{{"version", version()}, {"build", build_id()}};
    if (*format == output_format::table)
      (void)to.out("penstock " + std::string(version()) + " (" + std::string(build_id()) + ")\n");
    else
      (void)to.out(as_text(content, *format));
    return 0;
  });
}

} // namespace penstock::tools
