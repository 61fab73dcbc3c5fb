// SPDX-License-Identifier: Apache-2.0
#include "base/spelling.hpp"
#include "tools/api_client.hpp"
#include "tools/verbs.hpp"
#include "web/http_message.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace penstock::tools {

namespace {

verb_page page_of_cancel() {
  verb_page page{.name = "cancel",
                 .arguments = "training NAME",
                 .text = "Ends a training for good, in whatever step it is: it is not tried again, no model is\n"
                         "registered, and streams go on with the model they have. `penstock run` then ends with exit\n"
                         "code 4; run it again and the training begins anew.\n"
                         "Exit codes: 0 cancelled, 3 no such training, 4 it has ended already.",
                 .examples = {"penstock cancel training house-prices", "penstock get trainings"},
                 .least = 2,
                 .most = 2};
  add_url_option(page);
  return page;
}

int cancel(const parsed_line& parsed, console& to) {
  const auto& noun = parsed.arguments[0];
  if (noun != "training" && noun != "trainings") {
    const std::vector<std::string> known{"training"};
    const auto near = nearest(noun, known);
    return to.report(fail(errc::usage, "cannot cancel \"{}\"{}; only a training can be cancelled", noun,
                          near ? ", did you mean \"" + *near + "\"?" : ""));
  }
  const auto client = api_client::of(parsed);
  if (!client)
    return to.report(client.error());
  const auto& name = parsed.arguments[1];
  const auto own = name.substr(name.rfind('/') + 1);
  const auto answer = client->post("trainings/" + web::percent_encode(own) + "/cancel");
  if (!answer)
    return to.report(answer.error());
  const auto state = answer->value("state", "cancelling");
  (void)to.out(fmt::format("training {} is {}\n", answer->value("name", name),
                           state == "cancelling" ? "being cancelled: its step ends at the next tree" : state));
  return 0;
}

} // namespace

int cancel_verb(words line, console& to) {
  return with_line(page_of_cancel(), line, to, [&](const parsed_line& parsed) { return cancel(parsed, to); });
}

} // namespace penstock::tools
