// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/support/log_fixture.hpp"

#include <atomic>
#include <random>
#include <thread>

// What every log does with topics, records and waiting readers. Part of log_contract.hpp.
namespace penstock::test {

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

} // namespace penstock::test
