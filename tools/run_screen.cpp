// SPDX-License-Identifier: Apache-2.0
#include "tools/run_screen.hpp"

#include <fmt/format.h>

namespace penstock::tools {

namespace {

constexpr auto dense = std::chrono::seconds(20);
constexpr auto dense_every = std::chrono::seconds(2);
constexpr auto sparse_every = std::chrono::seconds(10);
constexpr auto heartbeat = std::chrono::seconds(30); ///< while nothing streams yet

} // namespace

run_screen::run_screen(console& to, std::string application, bool to_out)
    : to_(to), application_(std::move(application)), to_out_(to_out),
      terminal_(to_out ? to.out_is_terminal() : to.err_is_terminal()) {}

void run_screen::begin(const std::string& http_url, std::uint64_t incarnation) {
  print(fmt::format("{} at {}{}\n", application_, http_url,
                    incarnation > 1 ? fmt::format(", process {} of this run", incarnation) : ""));
}

void run_screen::show(const actors::node_info& node, const run_figures& figures, time_point now) {
  const auto news = trainings_.news(node.trainings, now, !terminal_);
  const bool streaming = !training_view::busy(node.trainings);
  if (!terminal_) {
    for (const auto& line : news)
      print(line + "\n");
    if (!news.empty() || !last_print_)
      last_print_ = now;
    show_lines(figures, streaming || figures.processed() > 0, now);
    return;
  }
  if (!news.empty())
    print(print_above(news));
  block_ = trainings_.in_work(node.trainings, now);
  if (streaming || figures.processed() > 0)
    for (auto& line : view_lines(application_, figures, to_.width()))
      block_.push_back(std::move(line));
  print(redraw(block_, to_.height()));
}

void run_screen::finish() {
  if (terminal_)
    print(print_above(block_));
  else if (!last_text_.empty())
    print(last_text_);
}

void run_screen::show_lines(const run_figures& figures, bool streaming, time_point now) {
  if (!streaming && now - *last_print_ < heartbeat)
    return;
  last_text_ = plain_line(figures) + "\n";
  const auto every = now - first_line_.value_or(now) < dense ? dense_every : sparse_every;
  if (first_line_ && now - *last_print_ < every)
    return;
  if (!first_line_ && streaming)
    first_line_ = now;
  last_print_ = now;
  print(last_text_);
  last_text_.clear();
}

void run_screen::print(const std::string& text) {
  if (to_out_)
    (void)to_.out(text);
  else
    to_.err(text);
}

} // namespace penstock::tools
