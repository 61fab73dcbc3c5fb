// SPDX-License-Identifier: Apache-2.0
#include "tools/node_process.hpp"

#include "base/logging.hpp"
#include "tools/data_directory.hpp"
#include "web/node_site.hpp"

#include <boost/program_options/value_semantic.hpp>

#include <array>
#include <atomic>
#include <csignal>
#include <thread>

#include <unistd.h>

namespace penstock::tools {

namespace {

constexpr auto stop_limit = std::chrono::seconds(5);

sigset_t stop_signals() {
  sigset_t set{};
  sigemptyset(&set);
  for (const int each : {SIGINT, SIGTERM, SIGHUP})
    sigaddset(&set, each);
  return set;
}

web::http_server_settings server_settings(const node_options& options) {
  web::http_server_settings settings;
  settings.port = options.http_port;
  return settings;
}

/// Ends the process when an orderly stop takes too long, or at a further signal.
class stop_watchdog {
public:
  explicit stop_watchdog(int exit_code) : thread_([this, exit_code] { watch(exit_code); }) {}
  stop_watchdog(const stop_watchdog&) = delete;
  stop_watchdog& operator=(const stop_watchdog&) = delete;
  ~stop_watchdog() {
    stopped_ = true;
    thread_.join();
  }

private:
  void watch(int exit_code) {
    const auto end = std::chrono::steady_clock::now() + stop_limit;
    while (!stopped_) {
      const bool again = wait_signal(std::chrono::milliseconds(20)) != 0;
      if (!again && std::chrono::steady_clock::now() < end)
        continue;
      logging::warning("process.cut", again ? "second signal: ending at once, without the last commit"
                                            : "the orderly stop took longer than 5 s: ending at once");
      logging::flush();
      ::_exit(exit_code);
    }
  }

  std::atomic<bool> stopped_{false};
  std::thread thread_;
};

} // namespace

void take_signals() {
  const auto set = stop_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

int wait_signal(std::chrono::milliseconds limit) {
  const auto set = stop_signals();
  const timespec time{.tv_sec = limit.count() / 1000, .tv_nsec = limit.count() % 1000 * 1'000'000};
  const int signal = ::sigtimedwait(&set, nullptr, &time);
  return signal > 0 ? signal : 0;
}

int exit_code_of_signal(int signal) {
  return 128 + (signal == SIGHUP ? SIGTERM : signal);
}

void node_options::describe(verb_page& page) {
  namespace po = boost::program_options;
  auto text = [](const char* placeholder) { return po::value<std::string>()->value_name(placeholder); };
  page.options.add_options()                                                                                         //
      ("data", text("DIR"), "directory of the node's data (default $PENSTOCK_DATA, else ./penstock-data)")           //
      ("log", text("URL"), "the log: rocksdb:DIR (default: in the data directory)")                                  //
      ("http", po::value<std::uint16_t>()->value_name("PORT")->default_value(7780), "HTTP port; 0 takes a free one") //
      ("node", text("NAME")->default_value("local"), "name of this node")                                            //
      ("durability", text("LEVEL")->default_value("machine"),
       "process: commits survive the death of the process; machine: also a power cut") //
      ("allow-tmpfs", "allow the log on tmpfs, where nothing survives the machine");
}

result<node_options> node_options::read(const parsed_line& line) {
  node_options out;
  out.data = data_directory(line.value("data"));
  out.log_url = line.value("log").value_or("");
  out.http_port = *line.value<std::uint16_t>("http");
  out.name = *line.value("node");
  const auto durability = *line.value("durability");
  if (durability != "process" && durability != "machine")
    return fail(errc::usage, "--durability {} is not possible; choose process or machine", durability);
  out.log.durability = durability == "process" ? storage::durability::process : storage::durability::machine;
  out.log.allow_tmpfs = line.has("allow-tmpfs");
  return out;
}

status node_process::check(const node_options& options, const std::optional<runtime::application_spec>& application) {
  for (const auto& training : application ? application->trainings : std::vector<runtime::training_spec>{})
    if (auto webhook = web::webhook_sender::check(training.webhook); !training.webhook.empty() && !webhook)
      return webhook.error().in("Training " + training.name);
  if (application)
    if (auto files = actors::check_files(*application); !files)
      return files;
  if (auto directory = check_data_directory(options.data, options.name); !directory)
    return directory;
  if (!options.log_url.empty() && !options.log_url.starts_with("rocksdb:"))
    if (auto log = storage::open_log(options.log_url, options.log); !log)
      return log.error();
  const auto port = web::http_server::listen(server_settings(options), nullptr);
  return port ? status{} : status{port.error()};
}

result<std::unique_ptr<node_process>> node_process::start(const node_options& options,
                                                          const std::optional<runtime::application_spec>& application,
                                                          const process_origin& origin, int& interrupted_by) {
  std::unique_ptr<node_process> out(new node_process);
  if (application)
    if (auto files = actors::check_files(*application); !files)
      return files.error();
  if (auto directory = check_data_directory(options.data, options.name); !directory)
    return directory.error();
  auto server = web::http_server::listen(server_settings(options), &out->metrics_);
  if (!server)
    return server.error();
  out->server_ = *std::move(server);
  actors::node_settings settings;
  settings.name = options.name;
  settings.data = options.data;
  settings.log_url = options.log_url;
  settings.log = options.log;
  settings.log.holder =
      fmt::format("node {}, pid {}, http://127.0.0.1:{}", options.name, ::getpid(), out->server_->port());
  settings.incarnation = origin.incarnation;
  settings.last_death = runtime::last_death::from_environment();
  settings.pause = [&interrupted_by](duration limit) {
    interrupted_by = wait_signal(std::chrono::ceil<std::chrono::milliseconds>(limit));
    return interrupted_by == 0;
  };
  settings.webhook = [sender = &out->webhooks_](const std::string& url, const std::string& body) {
    sender->send(url, body);
  };
  if (auto claimed = claim_data_directory(options.data, options.name); !claimed)
    return claimed.error();
  auto node = actors::node::start(settings, application, out->metrics_);
  if (!node)
    return node.error();
  out->node_ = *std::move(node);
  out->server_->serve(web::node_site(out->node_->client(), options.name));
  return out;
}

std::optional<actors::node_info> node_process::stop(int exit_code) {
  const stop_watchdog watchdog(exit_code);
  server_->stop(std::chrono::seconds(1));
  if (!node_->stop(stop_limit)) {
    logging::flush();
    ::_exit(exit_code);
  }
  auto last = node_->last_info();
  node_.reset();
  server_.reset();
  return last;
}

} // namespace penstock::tools
