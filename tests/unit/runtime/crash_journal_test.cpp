// SPDX-License-Identifier: Apache-2.0
#include "runtime/crash_journal.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace penstock::runtime {
namespace {

const storage::partition_id input{"houses", 3};

class crash_journal_file : public ::testing::Test {
protected:
  void SetUp() override {
    directory_ = std::filesystem::temp_directory_path() / ("crash-journal-" + std::to_string(::getpid()));
    std::filesystem::create_directories(directory_);
    file_ = directory_ / "journal";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] std::unique_ptr<crash_journal> open() const {
    auto opened = crash_journal::open(file_);
    EXPECT_TRUE(opened.ok());
    return std::move(*opened);
  }

  /// Runs a child process until it dies; returns how, in the keeper's words.
  static std::string death_of(const std::function<void()>& child) {
    const auto pid = ::fork();
    if (pid == 0) {
      const rlimit none{0, 0};
      ::setrlimit(RLIMIT_CORE, &none);
      // The sanitizer would turn the signal into an orderly exit.
      std::signal(SIGSEGV, SIG_DFL);
      child();
      ::_exit(1);
    }
    int how = 0;
    ::waitpid(pid, &how, 0);
    return WIFSIGNALED(how) ? "signal:" + std::to_string(WTERMSIG(how)) : "exit:" + std::to_string(WEXITSTATUS(how));
  }

  std::filesystem::path directory_;
  std::filesystem::path file_;
};

TEST_F(crash_journal_file, suspects_what_was_in_work_at_a_segmentation_fault) {
  const auto death = death_of([this] {
    const auto journal = open();
    const auto first = *journal->take("app.stream", input);
    const auto second = *journal->take("app.stream", {"houses", 4});
    journal->begin(first, 10, 19, false);
    journal->begin(second, 5, 5, true);
    ::raise(SIGSEGV);
  });
  ASSERT_EQ(death, "signal:11");
  const auto found = open()->suspects({death});
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].group, "app.stream");
  EXPECT_EQ(found[0].what.of, input);
  EXPECT_EQ(found[0].what.first, 10);
  EXPECT_EQ(found[0].what.last, 19);
  EXPECT_FALSE(found[0].what.alone);
  EXPECT_EQ(found[0].what.death, "signal 11 (SIGSEGV)");
  EXPECT_FALSE(found[1].what.alone) << "somebody else may have done it";
}

TEST_F(crash_journal_file, knows_who_died_alone) {
  const auto journal = open();
  journal->begin(*journal->take("app.stream", input), 7, 7, true);
  (void)journal->take("app.stream", {"houses", 4});
  const auto found = journal->suspects({"watchdog"});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_TRUE(found[0].what.alone);
  EXPECT_EQ(found[0].what.death, "watchdog");
}

TEST_F(crash_journal_file, suspects_nothing_after_a_kill) {
  const auto death = death_of([this] {
    const auto journal = open();
    journal->begin(*journal->take("app.stream", input), 10, 19, false);
    ::raise(SIGKILL);
  });
  ASSERT_EQ(death, "signal:9");
  EXPECT_TRUE(open()->suspects({death}).empty());
  EXPECT_EQ(open()->suspects({"oom"}).size(), 1u) << "the journal itself did survive";
}

TEST_F(crash_journal_file, forgets_what_ended_and_what_is_cleared) {
  const auto journal = open();
  const auto slot = *journal->take("app.stream", input);
  journal->begin(slot, 1, 2, false);
  journal->end(slot);
  EXPECT_TRUE(journal->suspects({"oom"}).empty());
  journal->begin(slot, 3, 4, false);
  EXPECT_EQ(journal->suspects({"oom"}).size(), 1u);
  journal->clear();
  EXPECT_TRUE(journal->suspects({"oom"}).empty());
}

TEST_F(crash_journal_file, hands_slots_out_once_until_they_come_back) {
  const auto journal = open();
  std::vector<std::size_t> taken;
  for (std::size_t i = 0; i < crash_journal::slots; ++i)
    taken.push_back(*journal->take("g", input));
  EXPECT_EQ(journal->take("g", input).error().code(), errc::unavailable);
  journal->give_back(taken[7]);
  EXPECT_EQ(*journal->take("g", input), taken[7]);
  EXPECT_EQ(journal->take(std::string(300, 'g'), input).error().code(), errc::invalid);
}

TEST_F(crash_journal_file, starts_afresh_over_garbage) {
  for (const std::string& garbage :
       {std::string(), std::string("no journal"), std::string(1 << 20, '\xff'), std::string(528384, '\x57')}) {
    std::ofstream(file_, std::ios::trunc) << garbage;
    const auto journal = open();
    EXPECT_TRUE(journal->suspects({"oom"}).empty());
    journal->begin(*journal->take("g", input), 1, 2, false);
    EXPECT_EQ(journal->suspects({"oom"}).size(), 1u);
  }
}

TEST_F(crash_journal_file, survives_garbage_behind_a_good_header) {
  { (void)open(); }
  std::fstream out(file_, std::ios::in | std::ios::out | std::ios::binary);
  out.seekp(4096);
  for (int i = 0; i < 100'000; ++i)
    out.put(static_cast<char>(i * 31));
  out.close();
  const auto found = open()->suspects({"oom"});
  EXPECT_LE(found.size(), crash_journal::slots);
}

TEST(last_death, makes_suspects_by_guilty_signals_watchdog_and_oom_alone) {
  for (const auto* guilty : {"signal:11", "signal:7", "signal:4", "signal:8", "signal:6", "watchdog", "oom"})
    EXPECT_TRUE(last_death{guilty}.makes_suspects()) << guilty;
  for (const auto* innocent : {"none", "exit:1", "exit:0", "signal:9", "signal:15", "signal:", "signal:11x", ""})
    EXPECT_FALSE(last_death{innocent}.makes_suspects()) << innocent;
}

TEST(last_death, is_none_unless_the_keeper_says_so) {
  ::unsetenv("PENSTOCK_LAST_DEATH");
  EXPECT_EQ(last_death::from_environment().text, "none");
  ::setenv("PENSTOCK_LAST_DEATH", "watchdog", 1);
  EXPECT_TRUE(last_death::from_environment().makes_suspects());
  ::unsetenv("PENSTOCK_LAST_DEATH");
}

} // namespace
} // namespace penstock::runtime
