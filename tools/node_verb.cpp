// SPDX-License-Identifier: Apache-2.0
#include "base/logging.hpp"
#include "tools/node_process.hpp"
#include "tools/verbs.hpp"

#include <boost/program_options/value_semantic.hpp>
#include <fmt/format.h>

#include <csignal>
#include <fstream>

#include <unistd.h>

namespace penstock::tools {

namespace {

verb_page page_of_node() {
  verb_page page{.name = "node",
                 .arguments = "",
                 .text = "Runs a node that stays until SIGINT or SIGTERM: the applications of its files without their\n"
                         "stop_when, and HTTP. Reports as log lines on standard error.",
                 .examples = {"penstock node --data /var/lib/penstock -f pipelines/house-prices.yaml",
                              "penstock node --data /var/lib/penstock    # look at what is there, serve its models"}};
  node_options::describe(page);
  page.options.add_options()("file,f", boost::program_options::value<std::vector<std::string>>()->value_name("FILE"),
                             "application file");
  return page;
}

result<std::optional<runtime::application_spec>> application_of(const parsed_line& parsed) {
  const auto files = parsed.value<std::vector<std::string>>("file").value_or(std::vector<std::string>{});
  if (files.size() > 1)
    return fail(errc::usage, "a node runs one application; {} files were given with -f", files.size());
  if (files.empty())
    return std::optional<runtime::application_spec>{};
  auto application = runtime::load_application(files.front(), runtime::environment());
  if (!application)
    return application.error();
  return std::optional(*std::move(application));
}

/// Milliseconds since this process was executed, from the kernel's own record; −1 when it cannot be read.
double milliseconds_since_exec() {
  std::ifstream stat("/proc/self/stat");
  std::string text;
  std::getline(stat, text);
  // Field 22 counts from behind the command, which may hold blanks and parentheses.
  const auto close = text.rfind(')');
  if (close == std::string::npos)
    return -1;
  std::size_t at = close + 1;
  for (int field = 2; field < 22 && at != std::string::npos; ++field)
    at = text.find(' ', at + (field == 2 ? 0 : 1));
  timespec now{};
  if (at == std::string::npos || ::clock_gettime(CLOCK_BOOTTIME, &now) != 0)
    return -1;
  const double started = std::strtod(text.c_str() + at, nullptr) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  return (static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9 - started) * 1000;
}

int watch(node_process& process) {
  while (true) {
    if (const int signal = wait_signal(std::chrono::milliseconds(200)); signal != 0) {
      logging::info("node.stopping", signal == SIGINT ? "SIGINT" : "SIGTERM");
      return exit_code_of_signal(signal);
    }
    if (process.node().wait_failed(duration::zero())) {
      const auto why = process.node().failure();
      logging::error("node.failed", why ? why->text() : "the node ended without a reason");
      // A disk that is full now may have space later: the keeper tries again with backoff.
      const bool log_lost = why && why->code() == errc::unavailable;
      return static_cast<int>(log_lost ? errc::try_again : errc::failed);
    }
  }
}

int node(const parsed_line& parsed, words line, console& to) {
  const auto options = node_options::read(parsed);
  if (!options)
    return to.report(options.error());
  const auto application = application_of(parsed);
  if (!application)
    return to.report(application.error());
  const auto origin = origin_of_process();
  if (!origin.kept) {
    if (auto possible = node_process::check(*options, *application); !possible)
      return to.report(possible.error());
    to.err("penstock: running without supervision: " + become_keeper("node", line, origin.started).text() + "\n");
  }
  take_signals();
  logging::configure(logging::default_format(), logging::level::info);
  int interrupted_by = 0;
  auto process = node_process::start(*options, *application, origin, interrupted_by);
  if (!process) {
    const int code = to.report(process.error());
    return interrupted_by != 0 ? exit_code_of_signal(interrupted_by) : code;
  }
  logging::info("node.ready",
                fmt::format("node {} ready {:.0f} ms after exec at http://127.0.0.1:{}", options->name,
                            milliseconds_since_exec(), (*process)->port()),
                {{"node", options->name},
                 {"application", *application ? (*application)->name : ""},
                 {"incarnation", std::to_string(origin.incarnation)}});
  const int code = watch(**process);
  (*process)->stop(code);
  return code;
}

} // namespace

int node_verb(words line, console& to) {
  return with_line(page_of_node(), line, to, [&](const parsed_line& parsed) { return node(parsed, line, to); });
}

} // namespace penstock::tools
