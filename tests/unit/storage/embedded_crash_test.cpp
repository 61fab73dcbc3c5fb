// SPDX-License-Identifier: Apache-2.0
// Kills processes in the middle of commits and looks at what is there afterwards. The child is this very program, run
// anew with the name of one disabled test, because RocksDB's threads do not survive a fork.
#include "storage/log.hpp"
#include "tests/unit/storage/scratch_directory.hpp"

#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>

#include <fcntl.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace penstock::storage {

namespace {

using namespace std::chrono_literals;

const partition_id input{"in", 0};
const std::array<partition_id, 2> outputs = {partition_id{"out", 0}, partition_id{"out", 1}};
constexpr std::int64_t input_records = 100'000;

session_spec spec() {
  return {"cluster.app.stream.0", "cluster.app.stream", {input}, {input}, 1, 1};
}

result<std::unique_ptr<log>> open(const std::string& directory) {
  log_options options;
  options.allow_tmpfs = true;
  options.memory = 1 << 20; // many flushes
  return open_log("rocksdb:" + directory, options);
}

void create_topics(log& in) {
  topic_spec topic;
  topic.name = "in";
  ASSERT_TRUE(in.create_topic(topic).ok());
  topic.name = "out";
  topic.partitions = 2;
  ASSERT_TRUE(in.create_topic(topic).ok());
  record_batch batch;
  for (std::int64_t i = 0; i < input_records; ++i)
    batch.add("", "x", {}, i);
  ASSERT_TRUE(in.append(input, batch).ok());
}

/// Commit number n: the number as a record to both outputs, the offset n + 1 and the count n + 1.
commit_request request_of(std::int64_t n, std::size_t ballast) {
  commit_request out;
  for (const auto& to : outputs) {
    record_batch batch;
    batch.add(std::to_string(n), std::string(ballast, static_cast<char>('a' + n % 26)), {}, n);
    out.outputs.push_back({to, std::move(batch)});
  }
  out.offsets = {{input, n + 1}};
  out.state = {{input, "count", std::to_string(n + 1)}};
  return out;
}

/// Every record once and in order, and exactly as many as offset and state say. Returns that number.
std::int64_t check(log& in) {
  auto opened = in.open_session(spec());
  if (!opened) {
    ADD_FAILURE() << opened.error().text();
    return -1;
  }
  const auto next = opened->offsets[0].next.value_or(0);
  EXPECT_EQ(opened->session->read_state(input, "count")->value_or("0"), std::to_string(next));
  for (const auto& of : outputs) {
    const auto end = in.offsets(of)->end;
    EXPECT_EQ(end, next) << of.text();
    auto reader = in.open_reader();
    EXPECT_TRUE((*reader)->assign({{of, 0}}).ok());
    for (std::int64_t seen = 0; seen < end;) {
      auto got = (*reader)->poll(1000, 1 << 20, 30s);
      if (!got.ok() || got->empty()) {
        ADD_FAILURE() << "cannot read " << of.text() << " from " << seen;
        return -1;
      }
      for (std::size_t i = 0; i < (*got)[0].records.size(); ++i)
        EXPECT_EQ((*got)[0].records[i].key, std::to_string(seen++));
    }
  }
  return next;
}

/// A run of `crash_child` on a directory, whose lines say which commits it saw committed.
class child {
public:
  child(const std::string& directory, const std::string& faults) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0)
      throw std::runtime_error("no pipe");
    std::string where = "PENSTOCK_CRASH_DIRECTORY=" + directory;
    std::string planted = "PENSTOCK_FAULTS=" + faults;
    std::vector<char*> environment = {where.data(), planted.data()};
    for (char** each = environ; *each != nullptr; ++each)
      environment.push_back(*each);
    environment.push_back(nullptr);
    std::string program = "/proc/self/exe";
    std::string filter = "--gtest_filter=crash_child.DISABLED_commits_until_killed";
    std::string disabled = "--gtest_also_run_disabled_tests";
    std::array<char*, 4> arguments = {program.data(), filter.data(), disabled.data(), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 3);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    if (posix_spawn(&pid_, program.c_str(), &actions, nullptr, arguments.data(), environment.data()) != 0)
      throw std::runtime_error("cannot start the child");
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    lines_ = fdopen(ends[0], "r");
  }
  ~child() {
    if (pid_ > 0)
      (void)end();
    std::fclose(lines_);
  }
  child(const child&) = delete;
  child& operator=(const child&) = delete;

  /// The next commit it reports, or -1 when it is dead.
  std::int64_t next_commit() {
    std::array<char, 32> line{};
    if (std::fgets(line.data(), line.size(), lines_) == nullptr)
      return -1;
    return last_ = std::atoll(line.data());
  }
  void kill() { ::kill(pid_, SIGKILL); }
  /// Waits until it is dead; returns the last commit it reported, -1 for none.
  std::int64_t end() {
    while (next_commit() >= 0) {
    }
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = 0;
    killed_ = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    return last_;
  }
  [[nodiscard]] bool killed() const { return killed_; }

private:
  pid_t pid_ = 0;
  FILE* lines_ = nullptr;
  std::int64_t last_ = -1;
  bool killed_ = false;
};

TEST(crash_child, DISABLED_commits_until_killed) {
  const char* directory = std::getenv("PENSTOCK_CRASH_DIRECTORY");
  ASSERT_NE(directory, nullptr);
  auto log = open(directory);
  ASSERT_TRUE(log.ok()) << log.error().text();
  auto opened = (*log)->open_session(spec());
  ASSERT_TRUE(opened.ok());
  for (auto n = opened->offsets[0].next.value_or(0); n < input_records; ++n) {
    ASSERT_EQ(opened->session->commit(request_of(n, 2000)).outcome, commit_outcome::committed);
    ASSERT_GT(dprintf(3, "%lld\n", static_cast<long long>(n)), 0);
  }
}

class crash : public testing::Test {
protected:
  void SetUp() override {
    auto log = open(path());
    ASSERT_TRUE(log.ok()) << log.error().text();
    create_topics(**log);
  }
  std::string path() const { return (directory_.path() / "log").string(); }

  test::scratch_directory directory_;
};

TEST_F(crash, of_a_committing_process_tears_loses_and_doubles_nothing) {
  std::mt19937 random(42);
  std::int64_t before = 0;
  for (int round = 0; round < 20; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    child committing(path(), "");
    for (auto left = random() % 60; left > 0; --left)
      ASSERT_GE(committing.next_commit(), 0) << "the child died of itself";
    committing.kill();
    const auto reported = committing.end();
    auto log = open(path());
    ASSERT_TRUE(log.ok()) << log.error().text();
    const auto found = check(**log);
    EXPECT_GE(found, before);
    EXPECT_GT(found, reported) << "a reported commit is gone";
    EXPECT_LE(found, std::max(before, reported + 1) + 1) << "more commits than were tried";
    before = found;
    if (HasFailure())
      return;
  }
}

#ifdef PENSTOCK_FAULT_POINTS

TEST_F(crash, right_before_and_right_after_the_write_leaves_nothing_or_all_of_it) {
  for (int n : {2, 5}) {
    for (const bool after : {false, true}) {
      auto log = open(path());
      const auto before = check(**log);
      log->reset();
      const auto point = after ? "storage.kill_after_write@" : "storage.kill_before_write@";
      child committing(path(), point + std::to_string(n));
      const auto reported = committing.end();
      EXPECT_TRUE(committing.killed());
      EXPECT_EQ(reported, before + n - 2);
      log = open(path());
      EXPECT_EQ(check(**log), reported + 1 + (after ? 1 : 0));
    }
  }
}

TEST_F(crash, between_two_writes_of_a_planted_bug_is_noticed) {
  child committing(path(), "storage.offsets_before_outputs,storage.kill_before_write@3");
  (void)committing.end();
  ASSERT_TRUE(committing.killed());
  auto log = open(path());
  auto next = (*(*log)->committed(spec().group, {input}))[0].next;
  EXPECT_EQ(next, 3) << "the offset was written early";
  EXPECT_EQ((*log)->offsets(outputs[0])->end, 2) << "the outputs were lost: `check` must see this";
}

#endif

// -- a full disk --------------------------------------------------------------

/// A small file system of its own; needs root.
class small_disk {
public:
  explicit small_disk(const std::filesystem::path& at) : path_(at) {
    std::filesystem::create_directories(at);
    mounted_ = mount("penstock-test", at.c_str(), "tmpfs", 0, "size=24m") == 0;
  }
  ~small_disk() {
    if (mounted_)
      umount2(path_.c_str(), MNT_DETACH);
  }
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;
  [[nodiscard]] bool mounted() const { return mounted_; }

private:
  std::filesystem::path path_;
  bool mounted_ = false;
};

TEST(full_disk, ends_in_doubt_and_goes_on_without_loss_when_there_is_space_again) {
  test::scratch_directory directory;
  small_disk disk(directory.path() / "disk");
  if (!disk.mounted())
    GTEST_SKIP() << "mounting a small file system needs root";
  const auto ballast = directory.path() / "disk" / "ballast";
  {
    std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(ballast.c_str(), "w"), &std::fclose);
    const std::string megabyte(1 << 20, 'x');
    for (int i = 0; i < 12; ++i)
      ASSERT_EQ(std::fwrite(megabyte.data(), 1, megabyte.size(), file.get()), megabyte.size());
  }
  const auto path = (directory.path() / "disk" / "log").string();
  std::int64_t committed = 0;
  {
    auto log = open(path);
    ASSERT_TRUE(log.ok()) << log.error().text();
    create_topics(**log);
    auto opened = (*log)->open_session(spec());
    std::mt19937 random(3);
    commit_result end;
    for (; committed < input_records; ++committed) {
      auto request = request_of(committed, 1);
      std::string noise(50'000, ' ');
      for (auto& each : noise)
        each = static_cast<char>(random());
      request.state.push_back({input, "noise-" + std::to_string(committed), noise});
      end = opened->session->commit(request);
      if (end.outcome != commit_outcome::committed)
        break;
    }
    ASSERT_EQ(end.outcome, commit_outcome::in_doubt) << end.reason;
    EXPECT_NE(end.reason.find(path), std::string::npos) << end.reason;
    EXPECT_NE(end.reason.find("full"), std::string::npos) << end.reason;
    EXPECT_EQ(opened->session->commit({}).outcome, commit_outcome::in_doubt) << "the session is dead";
    EXPECT_EQ((*log)->open_session(spec()).error().code(), errc::unavailable);
    record_batch one;
    one.add("", "", {}, 0);
    EXPECT_EQ((*log)->append(input, one).error().code(), errc::unavailable);
  }
  std::filesystem::remove(ballast);
  auto log = open(path);
  ASSERT_TRUE(log.ok()) << log.error().text();
  const auto found = check(**log);
  EXPECT_TRUE(found == committed || found == committed + 1) << found << " of " << committed;
  auto opened = (*log)->open_session(spec());
  for (auto n = found; n < found + 10; ++n)
    ASSERT_EQ(opened->session->commit(request_of(n, 1)).outcome, commit_outcome::committed);
  opened->session.reset();
  EXPECT_EQ(check(**log), found + 10);
}

} // namespace

} // namespace penstock::storage
