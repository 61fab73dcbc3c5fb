// SPDX-License-Identifier: Apache-2.0
#include "runtime/partition_work.hpp"

#include <gtest/gtest.h>

#include <set>

namespace penstock::runtime {
namespace {

using verdict = partition_work::verdict;

storage::record_batch batch(std::int64_t first, std::int64_t count) {
  storage::record_batch out;
  for (std::int64_t i = 0; i < count; ++i)
    out.add("key", "value", {}, 0, first + i);
  return out;
}

struct outcome {
  std::set<std::int64_t> done;
  std::set<std::int64_t> condemned;
  std::vector<std::int64_t> order;
  std::uint64_t scorings = 0;
};

/// Works everything off with a predictor that fails on some offsets while golden rows score.
outcome work_off(partition_work& work, const std::set<std::int64_t>& poison) {
  outcome out;
  std::uint64_t number = 0;
  while (!work.empty()) {
    work.begin(++number);
    ++out.scorings;
    const auto& piece = work.front();
    const bool fails = poison.lower_bound(piece.first_offset()) != poison.upper_bound(piece.last_offset());
    auto& where = fails ? out.condemned : out.done;
    if (fails) {
      const auto next = work.failed("poison");
      if (next == verdict::again)
        continue;
      EXPECT_EQ(next, verdict::check);
      EXPECT_EQ(work.golden(true), verdict::condemn);
    }
    const auto ended = work.finish();
    for (std::uint32_t i = 0; i < ended.range.count; ++i) {
      where.insert((*ended.records)[ended.range.first + i].offset);
      out.order.push_back((*ended.records)[ended.range.first + i].offset);
    }
  }
  return out;
}

TEST(partition_work, cuts_a_batch_into_pieces_and_keeps_the_last_position) {
  partition_work work;
  work.add(batch(10, 25), 40, 10, {}, {});
  std::vector<std::int64_t> next;
  std::uint64_t bytes = 0;
  while (!work.empty()) {
    work.begin(1);
    const auto piece = work.finish();
    next.push_back(piece.next);
    bytes += piece.bytes;
  }
  EXPECT_EQ(next, (std::vector<std::int64_t>{20, 30, 40}));
  EXPECT_EQ(bytes, batch(10, 25).bytes());
}

TEST(partition_work, moves_the_position_of_the_last_piece_when_nothing_but_markers_came) {
  partition_work work;
  work.add(batch(0, 2), 2, 10, {}, {});
  work.add({}, 5, 10, {}, {});
  EXPECT_EQ(work.front().next, 5);
}

TEST(partition_work, condemns_the_poison_alone_and_keeps_the_order) {
  for (const auto& poison : std::vector<std::set<std::int64_t>>{{0}, {7}, {15}, {3, 4}, {0, 5, 9, 15}}) {
    partition_work work;
    work.add(batch(0, 16), 16, 16, {}, {});
    const auto out = work_off(work, poison);
    EXPECT_EQ(out.condemned, poison);
    EXPECT_EQ(out.done.size(), 16 - poison.size());
    EXPECT_TRUE(std::ranges::is_sorted(out.order));
  }
}

TEST(partition_work, tries_a_range_once_more_before_it_halves_it) {
  partition_work work;
  work.add(batch(0, 8), 8, 8, {}, {});
  work.begin(1);
  EXPECT_EQ(work.failed("threw"), verdict::again);
  EXPECT_EQ(work.front().range.count, 8u);
  work.begin(2);
  EXPECT_EQ(work.failed("threw"), verdict::again);
  EXPECT_EQ(work.front().range, (record_range{0, 4}));
  EXPECT_EQ(work.front().next, 4);
}

TEST(partition_work, restarts_a_predictor_that_fails_the_golden_row_and_tries_the_record_again) {
  partition_work work;
  work.add(batch(0, 1), 1, 8, {}, {});
  work.begin(1);
  EXPECT_EQ(work.failed("threw"), verdict::again);
  work.begin(2);
  EXPECT_EQ(work.failed("threw"), verdict::check);
  work.expect(3);
  EXPECT_TRUE(work.awaits(3));
  EXPECT_FALSE(work.awaits(2));
  EXPECT_EQ(work.golden(false), verdict::restart);
  EXPECT_EQ(work.golden(true), verdict::again);
  work.begin(4);
  (void)work.finish();
  EXPECT_TRUE(work.empty());
}

TEST(partition_work, gives_up_after_three_restarts_without_a_golden_row) {
  partition_work work;
  work.add(batch(0, 1), 1, 8, {}, {});
  work.begin(1);
  (void)work.failed("threw");
  work.begin(2);
  (void)work.failed("threw");
  EXPECT_EQ(work.golden(false), verdict::restart);
  EXPECT_EQ(work.golden(false), verdict::restart);
  EXPECT_EQ(work.golden(false), verdict::restart);
  EXPECT_EQ(work.golden(false), verdict::give_up);
}

TEST(partition_work, tries_a_record_on_the_predictor_that_came_back_after_three_restarts) {
  partition_work work;
  work.add(batch(0, 1), 1, 8, {}, {});
  work.begin(1);
  (void)work.failed("threw");
  work.begin(2);
  (void)work.failed("threw");
  EXPECT_EQ(work.golden(false), verdict::restart);
  EXPECT_EQ(work.golden(false), verdict::restart);
  EXPECT_EQ(work.golden(false), verdict::restart);
  EXPECT_EQ(work.golden(true), verdict::again);
}

TEST(partition_work, condemns_a_record_that_breaks_every_fresh_predictor) {
  partition_work work;
  work.add(batch(0, 1), 1, 8, {}, {});
  for (std::uint32_t i = 1; i < partition_work::max_restarts; ++i) {
    work.begin(1);
    EXPECT_EQ(work.failed("threw"), verdict::again);
    work.begin(2);
    EXPECT_EQ(work.failed("threw"), verdict::check);
    EXPECT_EQ(work.golden(false), verdict::restart);
    EXPECT_EQ(work.golden(true), verdict::again);
  }
  work.begin(1);
  (void)work.failed("threw");
  work.begin(2);
  (void)work.failed("threw");
  EXPECT_EQ(work.golden(false), verdict::restart);
  EXPECT_EQ(work.golden(true), verdict::condemn);
}

TEST(partition_work, cuts_suspects_out_one_by_one) {
  partition_work work;
  const std::vector<suspect> suspects{{{"in", 0}, 3, 4, false, "oom"}, {{"in", 0}, 4, 4, true, "watchdog"}};
  work.add(batch(0, 8), 8, 100, suspects, {});
  struct seen {
    std::uint32_t count;
    bool alone, doomed;
    std::int64_t next;
    bool operator==(const seen&) const = default;
  };
  std::vector<seen> pieces;
  while (!work.empty()) {
    work.begin(1);
    const auto piece = work.finish();
    pieces.push_back({piece.range.count, piece.alone, piece.doomed, piece.next});
  }
  EXPECT_EQ(pieces,
            (std::vector<seen>{{3, false, false, 3}, {1, true, false, 4}, {1, true, true, 5}, {3, false, false, 8}}));
}

} // namespace
} // namespace penstock::runtime
