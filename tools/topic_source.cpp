// SPDX-License-Identifier: Apache-2.0
#include "tools/topic_source.hpp"

#include "web/http_message.hpp"
#include "web/node_json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace penstock::tools {

namespace {

constexpr std::size_t chunk_records = 1000;
constexpr std::size_t chunk_bytes = std::size_t{4} << 20;

class direct_source final : public topic_source {
public:
  explicit direct_source(std::unique_ptr<storage::log> log) : log_(std::move(log)) {}

  result<std::vector<document>> topics() override {
    const auto found = log_->topics();
    if (!found)
      return found.error();
    std::vector<document> out;
    for (const auto& each : *found)
      out.push_back(web::to_json(each));
    return out;
  }

  result<topic_chunk> read(const std::string& topic, std::int32_t partition, std::int64_t offset) override {
    const storage::partition_id of{topic, partition};
    const auto range = log_->offsets(of);
    if (!range)
      return range.error();
    topic_chunk out{{}, std::max(offset, range->start), range->end};
    if (out.next >= out.end)
      return out;
    if (auto ready = point_at({of, out.next}); !ready)
      return ready.error();
    const auto found = reader_->poll(chunk_records, chunk_bytes, std::chrono::seconds(1));
    if (!found)
      return found.error();
    for (const auto& each : *found) {
      for (std::size_t i = 0; i < each.records.size(); ++i)
        out.records.push_back(web::to_json(of, each.records[i]));
      out.next = each.gap.value_or(each.next);
      if (each.gap)
        at_.reset();
    }
    if (at_)
      at_->next = out.next;
    return out;
  }

  bool is_live() const override { return false; }

private:
  status point_at(storage::position wanted) {
    if (at_ == wanted)
      return {};
    if (!reader_) {
      auto opened = log_->open_reader();
      if (!opened)
        return opened.error();
      reader_ = *std::move(opened);
    }
    at_ = wanted;
    return reader_->assign({std::move(wanted)});
  }

  std::unique_ptr<storage::log> log_;
  std::unique_ptr<storage::reader> reader_;
  std::optional<storage::position> at_; ///< where the reader stands
};

class http_source final : public topic_source {
public:
  explicit http_source(api_client client) : client_(std::move(client)) {}

  result<std::vector<document>> topics() override {
    std::vector<document> out;
    const auto listed = client_.list("topics", "", [&](document item) {
      out.push_back(std::move(item));
      return true;
    });
    if (!listed)
      return listed.error();
    return out;
  }

  result<topic_chunk> read(const std::string& topic, std::int32_t partition, std::int64_t offset) override {
    auto page = client_.get(fmt::format("topics/{}/records?partition={}&offset={}&limit={}", web::percent_encode(topic),
                                        partition, offset, chunk_records));
    if (!page)
      return page.error();
    topic_chunk out;
    for (auto& item : page->at("items"))
      out.records.push_back(std::move(item));
    out.next = page->at("next").get<std::int64_t>();
    out.end = page->at("end").get<std::int64_t>();
    return out;
  }

  bool is_live() const override { return true; }

private:
  api_client client_;
};

} // namespace

result<std::unique_ptr<topic_source>> open_directly(const std::string& log_url) {
  storage::log_options options;
  options.read_only = true;
  options.allow_tmpfs = true; // only writing there is a risk
  auto log = storage::open_log(log_url, options);
  if (!log)
    return log.error();
  return std::unique_ptr<topic_source>(std::make_unique<direct_source>(*std::move(log)));
}

std::unique_ptr<topic_source> over_http(api_client client) {
  return std::make_unique<http_source>(std::move(client));
}

} // namespace penstock::tools
