// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/support/log_fixture.hpp"

#include <atomic>
#include <random>
#include <thread>

// What every log does about trimming and in sessions. Part of log_contract.hpp.
namespace penstock::test {

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
