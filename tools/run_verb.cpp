// SPDX-License-Identifier: Apache-2.0
#include "base/logging.hpp"
#include "tools/node_process.hpp"
#include "tools/run_screen.hpp"
#include "tools/run_summary.hpp"
#include "tools/run_watch.hpp"
#include "tools/verbs.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <csignal>

namespace penstock::tools {

namespace {

constexpr auto look_every = std::chrono::milliseconds(100);
constexpr auto ask_limit = std::chrono::seconds(2);

verb_page page_of_run() {
  verb_page page{.name = "run",
                 .arguments = "FILE",
                 .text = "Runs an application on this machine until its stop_when, with a live view, and prints a\n"
                         "summary. Killed or interrupted, the same command goes on where it stopped.\n"
                         "Exit codes: 0 stop_when fired, 1 the node failed, 4 a training was cancelled, 78 mistakes\n"
                         "in FILE, 130/143 interrupted.",
                 .examples = {"penstock run pipelines/house-prices.yaml",
                              "penstock run pipelines/house-prices.yaml --data /var/lib/penstock --http 0",
                              "penstock run pipelines/house-prices.yaml -o json > summary.json"},
                 .least = 1,
                 .most = 1};
  node_options::describe(page);
  add_format_option(page, "json: the summary as one JSON object, progress on standard error");
  return page;
}

std::string log_url_of(const node_options& options, const actors::node_info& node) {
  if (!node.log_url.empty())
    return node.log_url;
  return options.log_url.empty() ? "rocksdb:" + (options.data / "log").string() : options.log_url;
}

/// How the loop ended, beside the last figures.
struct ending {
  int signal = 0;
  std::optional<error> failure;
  std::optional<runtime::stop_reason> fired;
};

/// Watches the node until a signal, its failure or stop_when.
ending watch(node_process& process, run_watch& watcher, run_screen& screen, run_end& end) {
  while (true) {
    if (const int signal = wait_signal(look_every); signal != 0)
      return {signal, std::nullopt, std::nullopt};
    auto node = process.node().client().node(ask_limit);
    const auto now = system_clock().now();
    if (node) {
      end.figures = watcher.look(*node, now);
      end.node = *std::move(node);
      screen.show(end.node, end.figures, now);
      if (auto fired = watcher.fired(now))
        return {0, std::nullopt, std::move(fired)};
      if (end.node.final_failure)
        return {0, error(*end.node.final_failure, end.node.failure), std::nullopt};
    }
    if (process.node().wait_failed(duration::zero()))
      return {0, process.node().failure().value_or(fail(errc::failed, "the node ended without a reason")),
              std::nullopt};
  }
}

int exit_code_of(const ending& how) {
  if (how.signal != 0)
    return exit_code_of_signal(how.signal);
  return how.failure ? static_cast<int>(how.failure->code()) : 0;
}

int finish(node_process& process, const ending& how, run_end& end, run_watch& watcher,
           const runtime::application_spec& application, bool json, console& to) {
  const int code = exit_code_of(how);
  if (how.failure)
    to.err(fmt::format("penstock: {} failed: {}\n", application.name, how.failure->text()));
  if (auto last = process.stop(code)) {
    end.figures = watcher.look(*last, system_clock().now());
    end.node = *std::move(last);
  }
  if (how.failure)
    return code;
  end.stopped_when = how.fired.has_value();
  end.reason = how.fired ? how.fired->text : how.signal == SIGINT ? "SIGINT" : "SIGTERM";
  if (json)
    (void)to.out(as_text(summary_json(application, end), output_format::jsonl));
  else
    (void)to.out(summary_text(application, end));
  return code;
}

int run(const parsed_line& parsed, words line, console& to) {
  const auto format = format_of(parsed, {output_format::table, output_format::json});
  if (!format)
    return to.report(format.error());
  const auto options = node_options::read(parsed);
  if (!options)
    return to.report(options.error());
  const auto application = runtime::load_application(parsed.arguments[0], runtime::environment());
  if (!application)
    return to.report(application.error());
  const auto origin = origin_of_process();
  if (!origin.kept) {
    if (auto possible = node_process::check(*options, *application); !possible)
      return to.report(possible.error());
    to.err("penstock: running without supervision: " + become_keeper("run", line, origin.started).text() + "\n");
  }
  take_signals();
  logging::configure(logging::default_format(), logging::level::warning);
  const bool json = *format == output_format::json;
  int interrupted_by = 0;
  auto process = node_process::start(*options, *application, origin, interrupted_by);
  if (!process) {
    const int code = to.report(process.error());
    return interrupted_by != 0 ? exit_code_of_signal(interrupted_by) : code;
  }
  run_end end;
  end.data = options->data;
  end.http_url = fmt::format("http://127.0.0.1:{}", (*process)->port());
  run_screen screen(to, application->name, !json);
  screen.begin(end.http_url, origin.incarnation);
  run_watch watcher(*application,
                    system_clock().now() - std::chrono::milliseconds(system_clock().wall() - origin.started));
  const auto how = watch(**process, watcher, screen, end);
  end.log_url = log_url_of(*options, end.node);
  screen.finish();
  return finish(**process, how, end, watcher, *application, json, to);
}

} // namespace

int run_verb(words line, console& to) {
  return with_line(page_of_run(), line, to, [&](const parsed_line& parsed) { return run(parsed, line, to); });
}

} // namespace penstock::tools
