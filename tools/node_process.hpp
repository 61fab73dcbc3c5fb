// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "actors/node.hpp"
#include "base/metric_registry.hpp"
#include "tools/keeper_start.hpp"
#include "web/http_server.hpp"
#include "web/webhook_sender.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace penstock::tools {

/// What `run` and `node` have in common on their command lines.
struct node_options {
  std::filesystem::path data;
  std::string name;
  std::string log_url;
  std::uint16_t http_port = 7780;
  storage::log_options log;

  /// Adds the options to a page.
  static void describe(verb_page& page);
  /// `errc::usage` for a value that cannot be.
  [[nodiscard]] static result<node_options> read(const parsed_line& line);
};

/// Blocks SIGINT, SIGTERM and SIGHUP in this thread and all that it starts, and ignores SIGPIPE. Before any thread.
void take_signals();
/// Waits at most so long for one of them: its number, or 0.
[[nodiscard]] int wait_signal(std::chrono::milliseconds limit);
/// The conventional 128 + signal; a terminal that is gone counts as SIGTERM.
[[nodiscard]] int exit_code_of_signal(int signal);

/// A node and its HTTP server in this process.
class node_process {
public:
  /// Looks whether the node could start: webhooks, directory, log, port. Changes nothing on disk.
  [[nodiscard]] static status check(const node_options& options,
                                    const std::optional<runtime::application_spec>& application);

  /// Claims the directory and starts everything. The port is bound before the directory is touched.
  /// @param interrupted_by  set to the signal that ended the waiting for a log
  [[nodiscard]] static result<std::unique_ptr<node_process>>
  start(const node_options& options, const std::optional<runtime::application_spec>& application,
        const process_origin& origin, int& interrupted_by);

  [[nodiscard]] actors::node& node() { return *node_; }
  [[nodiscard]] std::uint16_t port() const { return server_->port(); }

  /// Orderly stop within 5 s; then, or at a second signal, the process ends with `exit_code` at once: what is not
  /// committed is simply not there. Returns when the stop was orderly.
  std::optional<actors::node_info> stop(int exit_code);

private:
  node_process() = default;

  metric_registry metrics_;
  web::webhook_sender webhooks_;
  std::unique_ptr<web::http_server> server_;
  std::unique_ptr<actors::node> node_;
};

} // namespace penstock::tools
