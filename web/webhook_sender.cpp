// SPDX-License-Identifier: Apache-2.0
#include "web/webhook_sender.hpp"

#include "base/logging.hpp"
#include "web/http_client.hpp"

#include <algorithm>

namespace penstock::web {

namespace {

/// Answers that another attempt may change.
bool worth_another(int status) {
  return status == 408 || status == 429 || status >= 500;
}

} // namespace

webhook_sender::webhook_sender(webhook_settings settings) : settings_(settings) {}

webhook_sender::~webhook_sender() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    last_moment_ = std::chrono::steady_clock::now() + settings_.farewell;
  }
  wake_.notify_all();
  if (thread_.joinable())
    thread_.join();
}

status webhook_sender::check(const std::string& url) {
  if (url.starts_with("https://"))
    return fail(errc::configuration,
                "webhook {}: https is not spoken yet; use an http:// address on this machine or network, such as a "
                "proxy that forwards it",
                url);
  const auto address = parse_http_url(url);
  if (!address)
    return fail(errc::configuration, "webhook {}", address.error().text());
  return {};
}

void webhook_sender::send(const std::string& url, const std::string& body) {
  const std::lock_guard lock(mutex_);
  if (stopping_)
    return;
  if (waiting_.size() >= settings_.queue) {
    logging::warning("webhook.dropped", "too many posts are waiting; this one is dropped", {{"url", url}});
    return;
  }
  waiting_.push_back({url, body});
  if (!thread_.joinable())
    thread_ = std::thread([this] { work(); });
  wake_.notify_all();
}

void webhook_sender::work() {
  while (true) {
    post next;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty() || (stopping_ && std::chrono::steady_clock::now() >= last_moment_))
        return;
      next = std::move(waiting_.front());
      waiting_.pop_front();
    }
    deliver(next);
  }
}

void webhook_sender::deliver(const post& what) {
  const auto address = parse_http_url(what.url);
  std::string why = address ? "" : address.error().text();
  auto backoff = settings_.backoff;
  for (unsigned attempt = 1; address && attempt <= settings_.attempts; ++attempt) {
    auto limit = settings_.limit;
    {
      std::unique_lock lock(mutex_);
      const auto pause = attempt == 1 ? duration::zero() : backoff;
      wake_.wait_for(lock, pause, [this] { return stopping_; });
      if (stopping_)
        limit = std::min<duration>(limit, last_moment_ - std::chrono::steady_clock::now());
    }
    if (limit <= duration::zero())
      break;
    backoff *= attempt == 1 ? 1 : 2;
    const auto answer = http_exchange(*address, address->path.empty() ? "/" : address->path, what.body, limit);
    if (answer && answer->status >= 200 && answer->status < 300)
      return;
    why = answer ? "answered " + std::to_string(answer->status) : answer.error().text();
    if (answer && !worth_another(answer->status))
      break;
  }
  logging::warning("webhook.failed", "a webhook was not delivered: " + why, {{"url", what.url}});
}

} // namespace penstock::web
