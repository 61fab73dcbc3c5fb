// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/log.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

/// A log under test, and where it lives. See log_contract.hpp.
namespace penstock::test {

/// A place where a log lives, so that it can be closed and opened again.
class log_home {
public:
  virtual ~log_home() = default;
  [[nodiscard]] virtual result<std::unique_ptr<storage::log>> open() = 0;
};

struct backend {
  std::string name;
  std::function<std::unique_ptr<log_home>()> make;
};

inline void PrintTo(const backend& what, std::ostream* out) {
  *out << what.name;
}
inline std::string name_of_backend(const testing::TestParamInfo<backend>& info) {
  return info.param.name;
}

class log_contract : public testing::TestWithParam<backend> {
protected:
  using partition_id = storage::partition_id;
  using record_batch = storage::record_batch;

  /// Long enough for any machine; nothing waits for it unless it is broken.
  static constexpr duration patience = std::chrono::seconds(30);
  static constexpr std::size_t plenty = std::size_t{64} << 20;

  void SetUp() override {
    home_ = GetParam().make();
    reopen();
  }

  void reopen() {
    log_.reset();
    auto opened = home_->open();
    ASSERT_TRUE(opened.ok()) << opened.error().text();
    log_ = std::move(*opened);
  }

  void create(const std::string& topic, std::int32_t partitions = 1) {
    storage::topic_spec spec;
    spec.name = topic;
    spec.partitions = partitions;
    auto created = log_->create_topic(spec);
    ASSERT_TRUE(created.ok()) << created.error().text();
  }

  static record_batch batch_of(const std::vector<std::string>& values, wall_time first = 1000) {
    record_batch out;
    for (const auto& value : values)
      out.add("k" + value, value, {}, first++);
    return out;
  }

  std::int64_t append(const partition_id& to, const record_batch& records) {
    auto done = log_->append(to, records);
    EXPECT_TRUE(done.ok()) << done.error().text();
    return done.ok() ? *done : -1;
  }

  std::unique_ptr<storage::reader> reader_at(const std::vector<storage::position>& positions) {
    auto opened = log_->open_reader();
    EXPECT_TRUE(opened.ok()) << opened.error().text();
    auto assigned = (*opened)->assign(positions);
    EXPECT_TRUE(assigned.ok()) << assigned.error().text();
    return std::move(*opened);
  }

  std::vector<storage::fetched> poll(storage::reader& from, std::size_t records = 10'000, duration wait = patience) {
    auto got = from.poll(records, plenty, wait);
    EXPECT_TRUE(got.ok()) << got.error().text();
    return got.ok() ? std::move(*got) : std::vector<storage::fetched>();
  }

  /// All values of a partition from an offset to its present end.
  std::vector<std::string> values_of(const partition_id& of, std::int64_t from = 0) {
    std::vector<std::string> out;
    auto range = log_->offsets(of);
    EXPECT_TRUE(range.ok()) << range.error().text();
    auto reader = reader_at({{of, std::max(from, range->start)}});
    for (auto next = std::max(from, range->start); next < range->end;) {
      auto got = poll(*reader);
      if (got.empty()) {
        ADD_FAILURE() << "nothing more at offset " << next << " of " << range->end;
        break;
      }
      for (std::size_t i = 0; i < got[0].records.size(); ++i)
        out.emplace_back(got[0].records[i].value);
      next = got[0].next;
    }
    return out;
  }

  static storage::session_spec spec_of(const std::string& id, const std::vector<partition_id>& inputs) {
    storage::session_spec out;
    out.id = id;
    out.group = "group";
    out.inputs = inputs;
    out.states = inputs;
    return out;
  }

  storage::opened_session open_session(const storage::session_spec& spec) {
    auto opened = log_->open_session(spec);
    EXPECT_TRUE(opened.ok()) << opened.error().text();
    return opened.ok() ? std::move(*opened) : storage::opened_session();
  }

  static void expect(storage::commit_outcome wanted, const storage::commit_result& got) {
    EXPECT_EQ(wanted, got.outcome) << storage::name_of(got.outcome) << ": " << got.reason;
  }

  std::unique_ptr<log_home> home_;
  std::unique_ptr<storage::log> log_;
  const partition_id in_{"in", 0};
  const partition_id out_{"out", 0};
};

} // namespace penstock::test
