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

/// What every implementation of `storage::log` must do. Include it in one test source of a program and instantiate:
///
///     INSTANTIATE_TEST_SUITE_P(embedded, log_contract, testing::Values(backend{"embedded", make}), name_of_backend);
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

// -- topics -------------------------------------------------------------------

TEST_P(log_contract, creates_lists_and_deletes_topics) {
  create("a", 3);
  create("b");
  create("a", 3);
  storage::topic_spec other;
  other.name = "a";
  other.partitions = 4;
  auto refused = log_->create_topic(other);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), errc::conflict);
  EXPECT_EQ(log_->describe("a")->partitions.size(), 3u);
  EXPECT_EQ(log_->topics()->size(), 2u);
  EXPECT_EQ(log_->describe("c").error().code(), errc::not_found);
  EXPECT_TRUE(log_->delete_topic("b").ok());
  EXPECT_EQ(log_->delete_topic("b").error().code(), errc::not_found);
  EXPECT_EQ(log_->topics()->size(), 1u);
}

TEST_P(log_contract, keeps_topics_and_records_when_it_is_opened_again) {
  create("in", 2);
  append({"in", 1}, batch_of({"a", "b"}));
  reopen();
  EXPECT_EQ(log_->describe("in")->spec.partitions, 2);
  EXPECT_EQ(values_of({"in", 1}), (std::vector<std::string>{"a", "b"}));
  append({"in", 1}, batch_of({"c"}));
  EXPECT_EQ(values_of({"in", 1}), (std::vector<std::string>{"a", "b", "c"}));
}

TEST_P(log_contract, names_what_does_not_exist) {
  create("in");
  EXPECT_EQ(log_->append({"none", 0}, batch_of({"a"})).error().code(), errc::not_found);
  EXPECT_EQ(log_->append({"in", 7}, batch_of({"a"})).error().code(), errc::not_found);
  EXPECT_EQ(log_->offsets({"in", -1}).error().code(), errc::not_found);
  auto reader = log_->open_reader();
  auto assigned = (*reader)->assign({{{"in", 0}, 0}, {{"none", 0}, 0}});
  ASSERT_FALSE(assigned.ok());
  EXPECT_EQ(assigned.error().code(), errc::not_found);
  EXPECT_NE(assigned.error().text().find("none"), std::string::npos);
}

// -- records ------------------------------------------------------------------

TEST_P(log_contract, gives_back_every_part_of_a_record) {
  create("in");
  auto headers = storage::encode_headers({{"model", "house-prices"}, {"empty", ""}});
  record_batch batch;
  batch.add("key", "value", headers, 1234);
  batch.add("", "", {}, -5);
  batch.add_tombstone("gone", headers, 99);
  batch.begin("built", {}, 7);
  batch.value() += "in place";
  batch.end();
  const auto first = append(in_, batch);
  auto got = poll(*reader_at({{in_, first}}));
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].from, in_);
  EXPECT_TRUE(got[0].at_end);
  ASSERT_EQ(got[0].records.size(), 4u);
  auto record = got[0].records[0];
  EXPECT_EQ(std::tuple(record.offset, record.timestamp, record.key, record.value, record.tombstone),
            std::tuple(first, 1234, "key", "value", false));
  EXPECT_EQ(storage::find_header(record.headers, "model"), "house-prices");
  EXPECT_EQ(storage::find_header(record.headers, "empty"), "");
  EXPECT_EQ(got[0].records[1].value, "");
  EXPECT_FALSE(got[0].records[1].tombstone);
  EXPECT_EQ(got[0].records[1].timestamp, -5);
  EXPECT_TRUE(got[0].records[2].tombstone);
  EXPECT_EQ(got[0].records[2].key, "gone");
  EXPECT_EQ(got[0].records[2].headers, headers);
  EXPECT_EQ(got[0].records[3].value, "in place");
}

TEST_P(log_contract, goes_on_reading_in_the_middle) {
  create("in");
  record_batch batch;
  for (int i = 0; i < 2500; ++i)
    batch.add("", std::to_string(i), {}, i);
  const auto first = append(in_, batch);
  for (int start : {1, 999, 1000, 1001, 2499}) {
    auto values = values_of(in_, first + start);
    ASSERT_EQ(values.size(), 2500u - static_cast<unsigned>(start));
    EXPECT_EQ(values.front(), std::to_string(start));
    EXPECT_EQ(values.back(), "2499");
  }
}

TEST_P(log_contract, takes_no_more_records_than_wanted_but_at_least_one) {
  create("in");
  append(in_, batch_of({"a", "b", "c"}));
  auto reader = reader_at({{in_, 0}});
  auto got = poll(*reader, 2);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].records.size(), 2u);
  EXPECT_FALSE(got[0].at_end);
  auto rest = reader->poll(10, 1, patience);
  ASSERT_TRUE(rest.ok());
  ASSERT_EQ(rest->size(), 1u);
  EXPECT_EQ((*rest)[0].records.size(), 1u);
  EXPECT_EQ((*rest)[0].records[0].value, "c");
  EXPECT_TRUE((*rest)[0].at_end);
  EXPECT_TRUE(poll(*reader, 10, duration::zero()).empty());
}

TEST_P(log_contract, serves_partitions_in_turn) {
  create("in", 3);
  record_batch batch;
  for (int i = 0; i < 1000; ++i)
    batch.add("", "v", {}, i);
  for (std::int32_t i = 0; i < 3; ++i)
    append({"in", i}, batch);
  auto reader = reader_at({{{"in", 0}, 0}, {{"in", 1}, 0}, {{"in", 2}, 0}});
  std::map<std::int32_t, std::size_t> seen;
  for (int i = 0; i < 6; ++i)
    for (const auto& each : poll(*reader, 10))
      seen[each.from.partition] += each.records.size();
  ASSERT_EQ(seen.size(), 3u) << "a partition starved";
  for (const auto& [partition, count] : seen)
    EXPECT_EQ(count, 20u) << "partition " << partition;
}

TEST_P(log_contract, takes_the_largest_record_and_refuses_a_larger_one) {
  create("in");
  const auto most = log_->max_record_bytes();
  ASSERT_GE(most, (std::size_t{1} << 20) + (std::size_t{64} << 10));
  std::mt19937 random(1);
  std::string noise(most - 1, ' ');
  for (auto& each : noise)
    each = static_cast<char>(random());
  record_batch batch;
  batch.add("k", noise, {}, 1);
  batch.add("k", "small", {}, 2);
  append(in_, batch);
  EXPECT_EQ(values_of(in_), (std::vector<std::string>{noise, "small"}));
  record_batch larger;
  larger.add("k", noise + "x", {}, 1);
  EXPECT_EQ(log_->append(in_, larger).error().code(), errc::invalid);
}

TEST_P(log_contract, finds_offsets_by_time) {
  create("in");
  const auto first = append(in_, batch_of({"a", "b", "c"}, 1000));
  append(in_, batch_of({"d"}, 500));
  const auto later = append(in_, batch_of({"e", "f"}, 2000));
  const auto end = log_->offsets(in_)->end;
  EXPECT_EQ(*log_->offset_at(in_, 0), first);
  EXPECT_EQ(*log_->offset_at(in_, 1001), first + 1);
  EXPECT_EQ(*log_->offset_at(in_, 1003), later);
  EXPECT_EQ(*log_->offset_at(in_, 2001), later + 1);
  EXPECT_EQ(*log_->offset_at(in_, 9999), end);
}

// -- waiting ------------------------------------------------------------------

TEST_P(log_contract, wakes_a_waiting_reader_on_append) {
  create("in", 2);
  auto reader = reader_at({{{"in", 0}, 0}, {{"in", 1}, 0}});
  std::atomic<bool> waiting = false;
  std::thread writer([&] {
    while (!waiting)
      std::this_thread::yield();
    append({"in", 1}, batch_of({"a"}));
  });
  waiting = true;
  auto got = poll(*reader);
  writer.join();
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].from.partition, 1);
}

TEST_P(log_contract, returns_from_poll_when_woken) {
  create("in");
  auto reader = reader_at({{in_, 0}});
  reader->wake();
  EXPECT_TRUE(poll(*reader).empty()) << "a wake before the poll counts";
  std::thread other([&] { reader->wake(); });
  EXPECT_TRUE(poll(*reader).empty());
  other.join();
}

// -- trimming -----------------------------------------------------------------

TEST_P(log_contract, reports_a_gap_where_records_were_trimmed) {
  create("in", 2);
  append({"in", 0}, batch_of({"a", "b", "c", "d"}));
  append({"in", 1}, batch_of({"x"}));
  auto reader = reader_at({{{"in", 0}, 0}, {{"in", 1}, 0}});
  ASSERT_TRUE(log_->trim({"in", 0}, 2).ok());
  EXPECT_EQ(log_->offsets({"in", 0})->start, 2);
  bool gap = false;
  bool other = false;
  while (!gap || !other) {
    auto found = poll(*reader);
    ASSERT_FALSE(found.empty());
    for (const auto& each : found) {
      if (each.from.partition == 1) {
        other = true;
        continue;
      }
      EXPECT_TRUE(each.records.empty());
      ASSERT_EQ(each.gap, 2);
      gap = true;
    }
  }
  append({"in", 0}, batch_of({"e"}));
  EXPECT_TRUE(poll(*reader, 10, duration::zero()).empty()) << "reading must stand still behind a gap";
  ASSERT_TRUE(reader->assign({{{"in", 0}, 2}}).ok());
  auto got = poll(*reader);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].records[0].value, "c");
  reader.reset();
  reopen();
  EXPECT_EQ(log_->offsets({"in", 0})->start, 2);
  EXPECT_EQ(values_of({"in", 0}), (std::vector<std::string>{"c", "d", "e"}));
}

TEST_P(log_contract, goes_on_counting_when_everything_was_trimmed) {
  create("in");
  append(in_, batch_of({"a", "b"}));
  const auto end = log_->offsets(in_)->end;
  ASSERT_TRUE(log_->trim(in_, end).ok());
  reopen();
  EXPECT_EQ(log_->offsets(in_)->start, end);
  EXPECT_EQ(log_->offsets(in_)->end, end);
  EXPECT_GE(append(in_, batch_of({"c"})), end);
  EXPECT_EQ(values_of(in_), (std::vector<std::string>{"c"}));
}

// -- sessions -----------------------------------------------------------------

TEST_P(log_contract, commits_outputs_offsets_and_state_together) {
  create("in");
  create("out");
  append(in_, batch_of({"1", "2"}));
  auto opened = open_session(spec_of("s", {in_}));
  ASSERT_EQ(opened.offsets.size(), 1u);
  EXPECT_EQ(opened.offsets[0].of, in_);
  EXPECT_FALSE(opened.offsets[0].next);
  auto& session = *opened.session;
  EXPECT_FALSE(*session.read_state(in_, "sum"));
  expect(storage::commit_outcome::committed,
         session.commit({{{out_, batch_of({"x"})}, {out_, batch_of({"y"})}}, {{in_, 2}}, {{in_, "sum", "3"}}}));
  EXPECT_EQ(*session.read_state(in_, "sum"), "3");
  EXPECT_EQ(values_of(out_), (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ((*log_->committed("group", {in_}))[0].next, 2);
  EXPECT_FALSE((*log_->committed("other", {in_}))[0].next);
}

TEST_P(log_contract, keeps_sessions_over_a_restart) {
  create("in");
  append(in_, batch_of({"1", "2", "3"}));
  std::uint64_t epoch = 0;
  {
    auto first = open_session(spec_of("s", {in_}));
    epoch = first.session->epoch();
    expect(storage::commit_outcome::committed,
           first.session->commit({{}, {{in_, 2}}, {{in_, "a", "1"}, {in_, "b", "2"}}}));
    expect(storage::commit_outcome::committed, first.session->commit({{}, {}, {{in_, "b", std::nullopt}}}));
  }
  reopen();
  auto second = open_session(spec_of("s", {in_}));
  EXPECT_EQ(second.session->epoch(), epoch + 1);
  EXPECT_EQ(second.offsets[0].next, 2);
  EXPECT_EQ(*second.session->read_state(in_, "a"), "1");
  EXPECT_FALSE(*second.session->read_state(in_, "b"));
}

TEST_P(log_contract, commits_nothing_as_happily_as_offsets_alone) {
  create("in");
  append(in_, batch_of({"1"}));
  auto opened = open_session(spec_of("s", {in_}));
  expect(storage::commit_outcome::committed, opened.session->commit({}));
  expect(storage::commit_outcome::committed, opened.session->commit({{}, {{in_, 1}}, {}}));
  expect(storage::commit_outcome::committed, opened.session->commit({{}, {{in_, 1}}, {}}));
  EXPECT_EQ((*log_->committed("group", {in_}))[0].next, 1);
}

TEST_P(log_contract, fences_an_older_session_for_good) {
  create("in");
  create("out");
  append(in_, batch_of({"1", "2"}));
  auto old = open_session(spec_of("s", {in_}));
  auto other = open_session(spec_of("t", {in_}));
  auto young = open_session(spec_of("s", {in_}));
  EXPECT_GT(young.session->epoch(), old.session->epoch());
  const storage::commit_request late{{{out_, batch_of({"late"})}}, {{in_, 2}}, {{in_, "k", "late"}}};
  expect(storage::commit_outcome::fenced, old.session->commit(late));
  expect(storage::commit_outcome::committed, young.session->commit({{}, {{in_, 1}}, {}}));
  young.session.reset();
  expect(storage::commit_outcome::fenced, old.session->commit(late));
  expect(storage::commit_outcome::fenced, old.session->commit({}));
  EXPECT_TRUE(values_of(out_).empty());
  EXPECT_EQ((*log_->committed("group", {in_}))[0].next, 1);
  expect(storage::commit_outcome::committed, other.session->commit({{{out_, batch_of({"other"})}}, {}, {}}));
}

TEST_P(log_contract, does_nothing_of_a_refused_commit_and_lets_the_session_go_on) {
  create("in");
  create("out");
  append(in_, batch_of({"1", "2", "3"}));
  auto opened = open_session(spec_of("s", {in_}));
  auto& session = *opened.session;
  expect(storage::commit_outcome::committed, session.commit({{}, {{in_, 2}}, {{in_, "k", "good"}}}));
  const auto good = batch_of({"x"});
  record_batch large;
  large.add("", std::string(log_->max_record_bytes() + 1, 'x'), {}, 0);
  const storage::state_change change{in_, "k", "bad"};
  expect(storage::commit_outcome::aborted, session.commit({{{out_, good}, {{"none", 0}, good}}, {{in_, 3}}, {change}}));
  expect(storage::commit_outcome::aborted, session.commit({{{out_, good}, {out_, large}}, {{in_, 3}}, {change}}));
  auto back = session.commit({{{out_, good}}, {{in_, 1}}, {change}});
  expect(storage::commit_outcome::aborted, back);
  EXPECT_NE(back.reason.find("in/0"), std::string::npos) << back.reason;
  EXPECT_TRUE(values_of(out_).empty());
  EXPECT_EQ(*session.read_state(in_, "k"), "good");
  EXPECT_EQ((*log_->committed("group", {in_}))[0].next, 2);
  expect(storage::commit_outcome::committed, session.commit({{{out_, good}}, {{in_, 3}}, {}}));
  EXPECT_EQ(values_of(out_), (std::vector<std::string>{"x"}));
}

TEST_P(log_contract, keeps_state_apart_by_partition_and_group) {
  create("in", 2);
  const partition_id other{"in", 1};
  const partition_id source{"a-source-of-its-own", 0};
  auto spec = spec_of("s", {in_, other});
  spec.states.push_back(source);
  auto opened = open_session(spec);
  expect(storage::commit_outcome::committed,
         opened.session->commit({{}, {}, {{in_, "k", "0"}, {other, "k", "1"}, {source, "k", std::string("a\0b", 3)}}}));
  EXPECT_EQ(*opened.session->read_state(in_, "k"), "0");
  EXPECT_EQ(*opened.session->read_state(other, "k"), "1");
  EXPECT_EQ(*opened.session->read_state(source, "k"), std::string("a\0b", 3));
  spec.id = "t";
  spec.group = "another";
  EXPECT_FALSE(*open_session(spec).session->read_state(in_, "k"));
}

TEST_P(log_contract, keeps_order_under_any_mix_of_appends_commits_and_reads) {
  for (unsigned seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto topic = "mix-" + std::to_string(seed);
    create(topic, 3);
    auto opened = open_session(spec_of(topic, {}));
    std::vector<std::vector<std::string>> wanted(3);
    std::vector<std::vector<std::string>> seen(3);
    auto reader = reader_at({{{topic, 0}, 0}, {{topic, 1}, 0}, {{topic, 2}, 0}});
    auto read = [&](duration wait) {
      auto got = poll(*reader, 1 + random() % 1500, wait);
      for (const auto& each : got)
        for (std::size_t i = 0; i < each.records.size(); ++i)
          seen[static_cast<std::size_t>(each.from.partition)].emplace_back(each.records[i].value);
      return !got.empty();
    };
    for (std::size_t total = 0; total < 10'000;) {
      const partition_id to{topic, static_cast<std::int32_t>(random() % 3)};
      record_batch batch;
      for (auto count = random() % 4 == 0 ? 1 + random() % 2500 : 1 + random() % 5; count > 0; --count) {
        auto value = std::to_string(total++) + std::string(random() % 40, 'x');
        batch.add("", value, {}, 0);
        wanted[static_cast<std::size_t>(to.partition)].push_back(std::move(value));
      }
      if (random() % 2 == 0)
        append(to, batch);
      else
        expect(storage::commit_outcome::committed, opened.session->commit({{{to, batch}}, {}, {}}));
      if (random() % 3 == 0)
        read(duration::zero());
    }
    while (seen[0].size() + seen[1].size() + seen[2].size() < wanted[0].size() + wanted[1].size() + wanted[2].size())
      ASSERT_TRUE(read(patience));
    EXPECT_EQ(seen, wanted);
  }
}

} // namespace penstock::test
