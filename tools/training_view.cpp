// SPDX-License-Identifier: Apache-2.0
#include "tools/training_view.hpp"

#include "tools/model_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace penstock::tools {

namespace {

using runtime::training_step;
using runtime::training_steps;

std::string step_head(int step) {
  return fmt::format("STEP {}/{} {:<9}", step, training_steps, runtime::name_of(static_cast<training_step>(step)));
}

std::string trimmed(std::string line) {
  line.resize(line.find_last_not_of(' ') + 1);
  return line;
}

/// `3.4s left`, once enough is done to tell.
std::string time_left(double share, duration spent) {
  if (share < 0.02 || spent < std::chrono::milliseconds(200))
    return "";
  const double left = static_cast<double>(spent.count()) * (1 - share) / share;
  return format_duration(
             std::chrono::round<std::chrono::milliseconds>(duration(static_cast<std::int64_t>(std::min(left, 1e18))))) +
         " left";
}

std::string metrics_text(const std::map<std::string, double>& metrics) {
  std::string out;
  for (const auto& [name, value] : main_metrics(metrics))
    out += fmt::format("{}{} {:.4f}", out.empty() ? "" : ", ", name, value);
  return out;
}

std::string short_digest(const std::string& digest) {
  return digest.substr(0, 12);
}

/// The line that a change of state is told with; empty for states that tell nothing.
std::string state_line(const actors::training_info& what) {
  if (what.state == "retrying")
    return fmt::format("training {} failed (attempt {}), will be tried again: {}", what.training, what.attempt,
                       what.cause);
  if (what.state == "cancelled")
    return fmt::format("training {} {}", what.training, what.cause);
  if (what.state == "failed")
    return fmt::format("training {} failed: {}", what.training, what.cause);
  if (what.state != "completed")
    return "";
  if (what.reused)
    return fmt::format("training {} reused: version {} (package {}) was made from the same inputs; not trained again",
                       what.training, what.version, short_digest(what.digest));
  return fmt::format("training {} completed: version {}, package {}, {}", what.training, what.version,
                     short_digest(what.digest), metrics_text(what.metrics));
}

} // namespace

std::string bar(double share, std::size_t width) {
  const double bounded = std::isfinite(share) ? std::clamp(share, 0.0, 1.0) : 0.0;
  const auto full = static_cast<std::size_t>(std::lround(bounded * static_cast<double>(width)));
  return "[" + std::string(full, '#') + std::string(width - full, '-') + "]";
}

void training_view::tell_steps(std::vector<std::string>& out, const actors::training_info& what, seen& known,
                               time_point now) {
  const bool over = what.state == "completed" && !what.reused;
  const int current = static_cast<int>(what.progress.step);
  const bool done = what.progress.done || over;
  const int ended = over ? training_steps : done ? current : current - 1;
  for (int step = known.ended + 1; step <= ended; ++step) {
    const auto text = what.step_texts.find(step);
    const bool has_text = text != what.step_texts.end() && !text->second.empty();
    out.push_back(trimmed(step_head(step) + " " + (has_text ? text->second : "done")));
  }
  known.ended = std::max(known.ended, ended);
  if (!done && current > known.begun) {
    known.begun = current;
    known.since = known.told = now;
  }
}

void training_view::tell_sign(std::vector<std::string>& out, const actors::training_info& what, seen& known,
                              time_point now) {
  if (what.state != "running" || what.progress.done ||
      now - known.told < (known.told == known.since ? first_sign : heartbeat))
    return;
  known.told = now;
  const auto left = time_left(what.progress.share, now - known.since);
  out.push_back(fmt::format(
      "{} {:.0f} %, {} so far{}", step_head(static_cast<int>(what.progress.step)), what.progress.share * 100,
      format_duration(std::chrono::round<std::chrono::seconds>(now - known.since)), left.empty() ? "" : ", " + left));
}

std::vector<std::string> training_view::news(const std::vector<actors::training_info>& trainings, time_point now,
                                             bool signs) {
  std::vector<std::string> out;
  for (const auto& what : trainings) {
    auto& known = seen_[what.training];
    if (what.attempt != known.attempt && what.state == "running") {
      known = {.state = known.state, .attempt = what.attempt};
      out.push_back(fmt::format("training {}{}", what.training,
                                what.attempt > 1 ? fmt::format(", attempt {}", what.attempt) : ""));
    }
    if ((what.state == "running" || what.state == "completed") && !what.reused)
      tell_steps(out, what, known, now);
    if (signs)
      tell_sign(out, what, known, now);
    if (what.state == known.state)
      continue;
    known.state = what.state;
    if (auto line = state_line(what); !line.empty())
      out.push_back(std::move(line));
  }
  return out;
}

std::vector<std::string> training_view::in_work(const std::vector<actors::training_info>& trainings,
                                                time_point now) const {
  std::vector<std::string> out;
  for (const auto& what : trainings) {
    if (what.state != "running" || what.progress.done)
      continue;
    const auto known = seen_.find(what.training);
    const auto spent = known == seen_.end() ? duration{} : now - known->second.since;
    out.push_back(trimmed(fmt::format("{} {} {:3.0f} %  {}", step_head(static_cast<int>(what.progress.step)),
                                      bar(what.progress.share, 24), what.progress.share * 100,
                                      time_left(what.progress.share, spent))));
  }
  return out;
}

bool training_view::busy(const std::vector<actors::training_info>& trainings) {
  return std::ranges::any_of(trainings, [](const auto& each) {
    return each.state != "completed" && each.state != "failed" && each.state != "cancelled";
  });
}

} // namespace penstock::tools
