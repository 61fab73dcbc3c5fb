// SPDX-License-Identifier: Apache-2.0
#include "base/file.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <fstream>
#include <iterator>

#include <sys/stat.h>
#include <unistd.h>

using namespace penstock;

namespace {

class file : public ::testing::Test {
protected:
  file() : folder_(std::filesystem::path(::testing::TempDir()) / ("penstock_file." + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~file() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::size_t entries() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(folder_), std::filesystem::directory_iterator()));
  }

  std::filesystem::path folder_;
};

TEST_F(file, is_read_back_as_it_was_written) {
  std::string bytes("a\0b\n", 4);
  bytes.append(200'000, 'x');
  ASSERT_TRUE(write_file_atomically(folder_ / "f", bytes).ok());
  EXPECT_EQ(*read_file(folder_ / "f"), bytes);
  ASSERT_TRUE(write_file_atomically(folder_ / "f", "").ok());
  EXPECT_EQ(*read_file(folder_ / "f"), "");
}

TEST_F(file, leaves_no_temporary_file_behind) {
  ASSERT_TRUE(write_file_atomically(folder_ / "f", "1").ok());
  ASSERT_TRUE(write_file_atomically(folder_ / "f", "2").ok());
  EXPECT_EQ(entries(), 1U);
  std::filesystem::create_directories(folder_ / "taken" / "inside");
  EXPECT_FALSE(write_file_atomically(folder_ / "taken", "3").ok());
  EXPECT_EQ(entries(), 2U);
}

TEST_F(file, keeps_the_old_bytes_for_who_has_them_open) {
  ASSERT_TRUE(write_file_atomically(folder_ / "f", "old").ok());
  std::ifstream reader(folder_ / "f");
  ASSERT_TRUE(write_file_atomically(folder_ / "f", "new").ok());
  std::string seen;
  reader >> seen;
  EXPECT_EQ(seen, "old");
}

TEST_F(file, larger_than_the_limit_is_refused) {
  ASSERT_TRUE(write_file_atomically(folder_ / "f", "12345").ok());
  EXPECT_TRUE(read_file(folder_ / "f", 5).ok());
  EXPECT_EQ(read_file(folder_ / "f", 4).error().code(), errc::invalid);
  EXPECT_EQ(read_file("/dev/zero", 100'000).error().code(), errc::invalid);
}

TEST_F(file, of_unknown_size_is_read_to_its_end) {
  const auto content = read_file("/proc/self/status");
  ASSERT_TRUE(content.ok());
  EXPECT_NE(content->find("VmRSS"), std::string::npos);
}

TEST_F(file, that_is_missing_or_a_folder_gives_a_named_error) {
  const auto missing = read_file(folder_ / "nothing");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code(), errc::not_found);
  EXPECT_EQ(missing.error().text(), "cannot open " + (folder_ / "nothing").string() + ": No such file or directory");
  EXPECT_EQ(read_file(folder_).error().code(), errc::invalid);
  EXPECT_EQ(write_file_atomically(folder_ / "no" / "f", "x").error().code(), errc::not_found);
}

TEST_F(file, is_for_all_to_read_less_the_umask) {
  const auto before = ::umask(027);
  const auto written = write_file_atomically(folder_ / "f", "x");
  ::umask(before);
  ASSERT_TRUE(written.ok());
  struct stat about {};
  ASSERT_EQ(::stat((folder_ / "f").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777U, 0640U);
}

TEST(system_error, chooses_the_code_by_errno) {
  EXPECT_EQ(system_error("cannot write", "f", ENOSPC).code(), errc::unavailable);
  EXPECT_EQ(system_error("cannot write", "f", EIO).code(), errc::unavailable);
  EXPECT_EQ(system_error("cannot write", "f", EACCES).code(), errc::permission);
  EXPECT_EQ(system_error("cannot write", "f", EROFS).code(), errc::permission);
  EXPECT_EQ(system_error("cannot write", "f", EEXIST).code(), errc::conflict);
  EXPECT_EQ(system_error("cannot write", "f", ENOSPC).text(), "cannot write f: No space left on device");
}

} // namespace
