// SPDX-License-Identifier: Apache-2.0
#include "base/file.hpp"
#include "storage/embedded_log.hpp"
#include "tests/unit/storage/scratch_directory.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <random>

#include <sys/wait.h>
#include <unistd.h>

namespace penstock::storage {

namespace {

using namespace std::chrono_literals;
using test::scratch_directory;

constexpr duration patience = 30s;

log_options options_for(const std::string& holder = "node alpha, pid 4711") {
  log_options out;
  out.allow_tmpfs = true;
  out.holder = holder;
  return out;
}

record_batch batch_of(std::size_t records, wall_time time = 1000, std::size_t bytes = 10) {
  record_batch out;
  for (std::size_t i = 0; i < records; ++i)
    out.add("k", std::string(bytes, 'v'), {}, time);
  return out;
}

/// Bytes that cannot be packed.
record_batch noise(std::size_t records, std::size_t bytes, unsigned seed) {
  std::mt19937 random(seed);
  record_batch out;
  for (std::size_t i = 0; i < records; ++i) {
    std::string value(bytes, ' ');
    for (auto& each : value)
      each = static_cast<char>(random());
    out.add("k", value, {}, 1000);
  }
  return out;
}

/// Names and contents of all files below a directory.
std::map<std::string, std::string> contents_of(const std::filesystem::path& directory) {
  std::map<std::string, std::string> out;
  for (const auto& each : std::filesystem::recursive_directory_iterator(directory))
    if (each.is_regular_file())
      out[each.path().string()] = *read_file(each.path());
  return out;
}

class embedded : public testing::Test {
protected:
  std::filesystem::path path() const { return directory_.path() / "some" / "log"; }

  std::unique_ptr<embedded_log> open(log_options options = options_for()) {
    auto opened = embedded_log::open(path(), options);
    EXPECT_TRUE(opened.ok()) << opened.error().text();
    return opened.ok() ? std::move(*opened) : nullptr;
  }

  error refused(const log_options& options) {
    auto opened = embedded_log::open(path(), options);
    EXPECT_FALSE(opened.ok());
    return opened.ok() ? error(errc::internal, "it opened") : opened.error();
  }

  static void create(log& in, const topic_spec& spec) {
    auto created = in.create_topic(spec);
    ASSERT_TRUE(created.ok()) << created.error().text();
  }

  static topic_spec spec_of(const std::string& name) {
    topic_spec out;
    out.name = name;
    return out;
  }

  scratch_directory directory_;
  const partition_id in_{"in", 0};
};

// -- opening ------------------------------------------------------------------

TEST(open_log, chooses_the_backend_by_scheme) {
  EXPECT_EQ(open_log("kafka://localhost:9092", {}).error().code(), errc::configuration);
  EXPECT_EQ(open_log("ftp:x", {}).error().code(), errc::configuration);
  EXPECT_EQ(open_log("rocksdb:", {}).error().code(), errc::configuration);
  scratch_directory directory;
  EXPECT_TRUE(open_log("rocksdb:" + directory.path().string(), options_for()).ok());
}

TEST_F(embedded, names_the_holder_to_a_second_opener) {
  auto first = open(options_for("node alpha, pid 4711, http://127.0.0.1:7780"));
  auto second = refused(options_for());
  EXPECT_EQ(second.code(), errc::conflict);
  EXPECT_NE(second.text().find("node alpha, pid 4711, http://127.0.0.1:7780"), std::string::npos) << second.text();
  auto looking = options_for();
  looking.read_only = true;
  EXPECT_NE(refused(looking).text().find("node alpha"), std::string::npos);
  first.reset();
  EXPECT_TRUE(open());
}

TEST_F(embedded, looks_without_changing_anything) {
  auto looking = options_for();
  looking.read_only = true;
  EXPECT_EQ(refused(looking).code(), errc::not_found);
  {
    auto log = open();
    create(*log, spec_of("in"));
    ASSERT_TRUE(log->append(in_, batch_of(3)).ok());
  }
  const auto before = contents_of(path());
  {
    auto log = open(looking);
    EXPECT_EQ(log->offsets(in_)->end, 3);
    auto reader = log->open_reader();
    ASSERT_TRUE((*reader)->assign({{in_, 0}}).ok());
    EXPECT_EQ((*(*reader)->poll(10, 1000, patience))[0].records.size(), 3u);
    EXPECT_EQ(log->append(in_, batch_of(1)).error().code(), errc::permission);
    EXPECT_EQ(log->create_topic(spec_of("x")).error().code(), errc::permission);
    EXPECT_EQ(log->open_session({"s", "g", {}, {}, 0, 0}).error().code(), errc::permission);
    EXPECT_TRUE(open(looking)) << "two may look";
    EXPECT_EQ(refused(options_for()).code(), errc::conflict);
  }
  EXPECT_EQ(contents_of(path()), before);
}

TEST_F(embedded, refuses_a_directory_of_a_newer_version_untouched) {
  (void)open();
  ASSERT_TRUE(write_file_atomically(path() / "FORMAT", "penstock log 2\n").ok());
  const auto before = contents_of(path());
  const auto why = refused(options_for());
  EXPECT_EQ(why.code(), errc::configuration);
  EXPECT_NE(why.text().find("newer version"), std::string::npos) << why.text();
  EXPECT_EQ(contents_of(path()), before);
  ASSERT_TRUE(write_file_atomically(path() / "FORMAT", "something else").ok());
  EXPECT_EQ(refused(options_for()).code(), errc::configuration);
}

TEST_F(embedded, refuses_a_directory_in_memory) {
  const std::filesystem::path memory = "/dev/shm/penstock-is-not-made";
  log_options options;
  auto opened = embedded_log::open(memory, options);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code(), errc::configuration);
  EXPECT_NE(opened.error().text().find("tmpfs"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(memory));
}

TEST_F(embedded, says_when_the_directory_may_not_be_written) {
  // A child without rights opens it; root would be let in.
  std::filesystem::create_directories(path());
  const auto child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (getuid() == 0 && setuid(65534) != 0)
      _exit(99);
    if (getuid() != 65534)
      chmod(path().c_str(), 0555);
    auto opened = embedded_log::open(path(), options_for());
    _exit(opened.ok() ? 0 : static_cast<int>(opened.error().code()));
  }
  int end = 0;
  ASSERT_EQ(waitpid(child, &end, 0), child);
  EXPECT_EQ(WEXITSTATUS(end), static_cast<int>(errc::permission));
}

// -- reading ------------------------------------------------------------------

TEST_F(embedded, joins_small_appends_into_one_batch) {
  auto log = open();
  create(*log, spec_of("in"));
  for (int i = 0; i < 50; ++i)
    ASSERT_TRUE(log->append(in_, batch_of(3)).ok());
  auto reader = log->open_reader();
  ASSERT_TRUE((*reader)->assign({{in_, 0}}).ok());
  auto got = (*reader)->poll(100, 1 << 20, patience);
  ASSERT_EQ(got->size(), 1u);
  EXPECT_EQ((*got)[0].records.size(), 100u);
  EXPECT_EQ((*got)[0].next, 100);
}

TEST_F(embedded, refuses_to_read_behind_the_end) {
  auto log = open();
  create(*log, spec_of("in"));
  auto reader = log->open_reader();
  EXPECT_EQ((*reader)->assign({{in_, 1}}).error().code(), errc::invalid);
  EXPECT_EQ((*reader)->assign({{in_, -1}}).error().code(), errc::invalid);
}

TEST_F(embedded, tells_a_reader_that_its_topic_was_deleted) {
  auto log = open();
  create(*log, spec_of("in"));
  auto reader = log->open_reader();
  ASSERT_TRUE((*reader)->assign({{in_, 0}}).ok());
  ASSERT_TRUE(log->delete_topic("in").ok());
  EXPECT_EQ((*reader)->poll(10, 1000, patience).error().code(), errc::not_found);
}

// -- topics -------------------------------------------------------------------

TEST_F(embedded, starts_a_topic_of_an_old_name_from_nothing) {
  auto log = open();
  create(*log, spec_of("in"));
  ASSERT_TRUE(log->append(in_, batch_of(5)).ok());
  auto opened = log->open_session({"s", "g", {in_}, {in_}, 0, 0});
  ASSERT_EQ(opened->session->commit({{}, {{in_, 5}}, {{in_, "k", "v"}}}).outcome, commit_outcome::committed);
  ASSERT_TRUE(log->delete_topic("in").ok());
  create(*log, spec_of("in"));
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(log->offsets(in_)->end, 0);
    auto again = log->open_session({"s", "g", {in_}, {in_}, 0, 0});
    EXPECT_FALSE(again->offsets[0].next);
    EXPECT_FALSE(*again->session->read_state(in_, "k"));
    again->session.reset();
    log.reset();
    log = open();
  }
}

TEST_F(embedded, refuses_bad_names_and_numbers) {
  auto log = open();
  for (const char* name : {"", ".", "..", "a b", "a/b", "ä"})
    EXPECT_EQ(log->create_topic(spec_of(name)).error().code(), errc::invalid) << name;
  auto spec = spec_of("in");
  spec.partitions = 0;
  EXPECT_EQ(log->create_topic(spec).error().code(), errc::invalid);
}

TEST_F(embedded, keeps_to_the_inputs_and_states_of_the_session) {
  auto log = open();
  create(*log, spec_of("in"));
  create(*log, spec_of("other"));
  ASSERT_TRUE(log->append({"other", 0}, batch_of(1)).ok());
  auto opened = log->open_session({"s", "g", {in_}, {in_}, 0, 0});
  EXPECT_EQ(opened->session->commit({{}, {{{"other", 0}, 1}}, {}}).outcome, commit_outcome::aborted);
  EXPECT_EQ(opened->session->commit({{}, {{in_, 1}}, {}}).outcome, commit_outcome::aborted) << "behind the end";
  EXPECT_EQ(opened->session->commit({{}, {}, {{{"other", 0}, "k", "v"}}}).outcome, commit_outcome::aborted);
  EXPECT_EQ(opened->session->read_state({"other", 0}, "k").error().code(), errc::invalid);
  auto young = log->open_session({"s", "g", {in_}, {in_}, 0, 0});
  EXPECT_EQ(opened->session->read_state(in_, "k").error().code(), errc::conflict);
}

// -- retention ----------------------------------------------------------------

TEST_F(embedded, drops_records_older_than_the_retention) {
  auto log = open();
  auto spec = spec_of("in");
  spec.retention = 10s;
  create(*log, spec);
  for (wall_time time : {1000, 2000, 30'000, 4000, 50'000})
    ASSERT_TRUE(log->append(in_, batch_of(10, time)).ok());
  ASSERT_TRUE(log->enforce_retention(12'001).ok());
  EXPECT_EQ(log->offsets(in_)->start, 20) << "only a prefix may go: the next block is younger";
  ASSERT_TRUE(log->enforce_retention(40'001).ok());
  EXPECT_EQ(log->offsets(in_)->start, 40);
  ASSERT_TRUE(log->enforce_retention(1'000'000).ok());
  log.reset();
  log = open();
  EXPECT_EQ(log->offsets(in_)->start, 50);
  EXPECT_EQ(log->offsets(in_)->end, 50);
  EXPECT_EQ(*log->append(in_, batch_of(1)), 50);
}

TEST_F(embedded, keeps_at_least_the_bytes_of_the_retention) {
  auto log = open();
  auto spec = spec_of("in");
  spec.retention_bytes = 100'000;
  create(*log, spec);
  for (unsigned i = 0; i < 50; ++i)
    ASSERT_TRUE(log->append(in_, noise(10, 1000, i)).ok());
  ASSERT_TRUE(log->enforce_retention(0).ok());
  // A block is 10,290 bytes; ten of them are the first to reach the limit.
  EXPECT_EQ(log->offsets(in_)->start, 400);
  log.reset();
  log = open();
  EXPECT_EQ(log->offsets(in_)->start, 400);
  EXPECT_EQ(log->offsets(in_)->end, 500);
}

TEST_F(embedded, frees_the_disk_space_of_what_it_dropped) {
  auto options = options_for();
  options.memory = 1 << 20;
  auto log = open(options);
  create(*log, spec_of("in"));
  create(*log, spec_of("kept"));
  ASSERT_TRUE(log->append({"kept", 0}, noise(1000, 100, 7)).ok());
  for (unsigned i = 0; i < 300; ++i)
    ASSERT_TRUE(log->append(in_, noise(100, 1000, i)).ok());
  const auto before = log->describe("in")->bytes;
  ASSERT_GT(before, 20'000'000u);
  ASSERT_TRUE(log->trim(in_, 30'000).ok());
  for (unsigned i = 0; i < 300; ++i)
    ASSERT_TRUE(log->append(in_, noise(100, 1000, i)).ok());
  ASSERT_TRUE(log->trim(in_, 60'000).ok());
  EXPECT_LT(log->describe("in")->bytes, before);
  log.reset();
  log = open(options);
  EXPECT_EQ(log->offsets(in_)->end, 60'000);
  EXPECT_EQ(log->offsets({"kept", 0})->end, 1000);
  auto reader = log->open_reader();
  ASSERT_TRUE((*reader)->assign({{{"kept", 0}, 0}}).ok());
  EXPECT_EQ((*(*reader)->poll(1000, 1 << 20, patience))[0].records.size(), 1000u);
}

// -- damage -------------------------------------------------------------------

class damaged : public embedded {
protected:
  /// Fills the directory so that the records lie in table files.
  void fill() {
    auto options = options_for();
    options.memory = 1 << 20;
    auto log = open(options);
    create(*log, spec_of("in"));
    for (unsigned i = 0; i < 100; ++i)
      ASSERT_TRUE(log->append(in_, noise(10, 10'000, i)).ok());
  }

  std::vector<std::filesystem::path> files(const std::string& extension) {
    std::map<std::uintmax_t, std::filesystem::path> by_size;
    for (const auto& each : std::filesystem::directory_iterator(path() / "db"))
      if (each.path().extension() == extension)
        by_size[each.file_size()] = each.path();
    std::vector<std::filesystem::path> out;
    for (auto each = by_size.rbegin(); each != by_size.rend(); ++each)
      out.push_back(each->second);
    return out;
  }

  static void flip(const std::filesystem::path& file, std::streamoff at) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(at);
    const auto byte = static_cast<char>(stream.get() ^ 0x40);
    stream.seekp(at);
    stream.put(byte);
    ASSERT_TRUE(stream.good());
  }
};

TEST_F(damaged, table_file_is_a_clear_error_and_never_a_gap) {
  fill();
  const auto tables = files(".sst");
  ASSERT_FALSE(tables.empty());
  flip(tables[0], static_cast<std::streamoff>(std::filesystem::file_size(tables[0]) / 2));
  auto log = embedded_log::open(path(), options_for());
  if (!log) {
    EXPECT_EQ(log.error().code(), errc::unavailable);
    EXPECT_NE(log.error().text().find("damaged"), std::string::npos) << log.error().text();
    return;
  }
  auto reader = (*log)->open_reader();
  ASSERT_TRUE((*reader)->assign({{in_, 0}}).ok());
  std::int64_t next = 0;
  for (;;) {
    auto got = (*reader)->poll(50, std::size_t{1} << 30, patience);
    if (!got) {
      EXPECT_EQ(got.error().code(), errc::unavailable);
      EXPECT_NE(got.error().text().find("damaged"), std::string::npos) << got.error().text();
      break;
    }
    ASSERT_EQ(got->size(), 1u);
    EXPECT_EQ((*got)[0].records[0].offset, next);
    next = (*got)[0].next;
    ASSERT_LT(next, 1000) << "read over the damage";
  }
  EXPECT_EQ((*log)->append(in_, batch_of(1)).error().code(), errc::unavailable) << "a broken log stays broken";
  EXPECT_EQ((*log)->topics().error().code(), errc::unavailable);
}

TEST_F(damaged, missing_table_file_is_an_error_at_opening) {
  fill();
  std::filesystem::remove(files(".sst").at(0));
  const auto why = refused(options_for());
  EXPECT_EQ(why.code(), errc::invalid);
  EXPECT_NE(why.text().find(path().string()), std::string::npos);
}

TEST_F(damaged, torn_end_of_the_write_ahead_log_loses_only_the_torn_commit) {
  {
    auto log = open();
    create(*log, spec_of("in"));
    for (int i = 0; i < 10; ++i)
      ASSERT_TRUE(log->append(in_, batch_of(10)).ok());
  }
  const auto wal = files(".log").at(0);
  std::filesystem::resize_file(wal, std::filesystem::file_size(wal) - 20);
  auto log = open();
  EXPECT_EQ(log->offsets(in_)->end, 90);
  EXPECT_EQ(*log->append(in_, batch_of(1)), 90);
}

TEST_F(damaged, middle_of_the_write_ahead_log_is_an_error) {
  {
    auto log = open();
    create(*log, spec_of("in"));
    for (unsigned i = 0; i < 10; ++i)
      ASSERT_TRUE(log->append(in_, noise(10, 1000, i)).ok());
  }
  const auto wal = files(".log").at(0);
  flip(wal, static_cast<std::streamoff>(std::filesystem::file_size(wal) / 2));
  const auto why = refused(options_for());
  EXPECT_EQ(why.code(), errc::invalid);
  EXPECT_NE(why.text().find("damaged"), std::string::npos) << why.text();
}

} // namespace

} // namespace penstock::storage
