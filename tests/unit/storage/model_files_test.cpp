// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"
#include "base/file.hpp"
#include "storage/model_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <functional>
#include <random>

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

namespace penstock::storage {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class model_files_test : public testing::Test {
protected:
  model_files_test() : directory_(fs::temp_directory_path() / ("penstock-models-" + std::to_string(::getpid()))) {
    fs::remove_all(directory_);
  }
  ~model_files_test() override { fs::remove_all(directory_); }

  [[nodiscard]] model_files open() const {
    auto opened = model_files::open(directory_ / "models");
    EXPECT_TRUE(opened) << opened.error().text();
    return *std::move(opened);
  }
  [[nodiscard]] fs::path file_of(const std::string& digest) const {
    return directory_ / "models" / (digest + ".model");
  }

  fs::path directory_;
  const std::string package_ = std::string("PSTKMODL\0\x01", 10) + std::string(5000, 'm');
  const std::string digest_ = sha256_hex(package_);
};

TEST_F(model_files_test, gives_back_what_was_put_also_to_a_later_process) {
  ASSERT_TRUE(open().put(digest_, package_));
  const auto store = open();
  EXPECT_TRUE(store.contains(digest_));
  const auto read = store.read(digest_);
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(*read, package_);
}

TEST_F(model_files_test, makes_the_directory_and_its_parents) {
  EXPECT_EQ(open().directory(), directory_ / "models");
  EXPECT_TRUE(fs::is_directory(directory_ / "models"));
}

TEST_F(model_files_test, takes_the_same_package_twice) {
  const auto store = open();
  ASSERT_TRUE(store.put(digest_, package_));
  const auto written = fs::last_write_time(file_of(digest_));
  EXPECT_TRUE(store.put(digest_, package_));
  EXPECT_EQ(fs::last_write_time(file_of(digest_)), written) << "a file that is there is not touched";
}

TEST_F(model_files_test, refuses_bytes_that_do_not_have_the_digest) {
  const auto store = open();
  const auto put = store.put(digest_, package_ + "x");
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code(), errc::invalid);
  EXPECT_THAT(store.list(), IsEmpty());
}

TEST_F(model_files_test, finds_every_kind_of_flipped_bit_and_heals_by_putting_again) {
  const auto store = open();
  for (const std::size_t at : {std::size_t{0}, package_.size() / 2, package_.size() - 1}) {
    ASSERT_TRUE(store.put(digest_, package_));
    auto damaged = package_;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    ASSERT_TRUE(write_file_atomically(file_of(digest_), damaged));
    const auto read = store.read(digest_);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code(), errc::invalid);
    EXPECT_THAT(read.error().text(), AllOf(HasSubstr(file_of(digest_).string()), HasSubstr("damaged")));
  }
  ASSERT_TRUE(store.put(digest_, package_));
  EXPECT_EQ(*store.read(digest_), package_);
}

TEST_F(model_files_test, finds_a_truncated_and_an_empty_file) {
  const auto store = open();
  for (const std::size_t length : {std::size_t{0}, package_.size() - 1}) {
    ASSERT_TRUE(write_file_atomically(file_of(digest_), package_.substr(0, length)));
    EXPECT_EQ(store.read(digest_).error().code(), errc::invalid);
  }
}

TEST_F(model_files_test, says_that_a_package_is_not_there) {
  const auto store = open();
  EXPECT_FALSE(store.contains(digest_));
  EXPECT_EQ(store.read(digest_).error().code(), errc::not_found);
}

TEST_F(model_files_test, never_leaves_its_directory_for_a_name_that_is_no_digest) {
  const auto store = open();
  ASSERT_TRUE(write_file_atomically(directory_ / "secret.model", "x"));
  for (const std::string name : {"../secret", "", "..", "/etc/passwd", "A0"}) {
    EXPECT_EQ(store.read(name).error().code(), errc::not_found) << name;
    EXPECT_FALSE(store.contains(name)) << name;
  }
}

TEST_F(model_files_test, lists_packages_alone_in_ascending_order) {
  const auto store = open();
  ASSERT_TRUE(store.put(sha256_hex("a"), "a"));
  ASSERT_TRUE(store.put(sha256_hex("b"), "b"));
  ASSERT_TRUE(write_file_atomically(directory_ / "models" / "notes.txt", "x"));
  ASSERT_TRUE(write_file_atomically(directory_ / "models" / "short.model", "x"));
  ASSERT_TRUE(write_file_atomically(directory_ / "models" / ("." + digest_ + ".model.1.0.tmp"), "x"));
  const auto [first, second] = std::minmax({sha256_hex("a"), sha256_hex("b")});
  EXPECT_THAT(store.list(), ElementsAre(first, second));
}

TEST_F(model_files_test, removes_what_killed_writers_left_once_it_is_old) {
  (void)open();
  const auto left = directory_ / "models" / ("." + digest_ + ".model.4711.0.tmp");
  const auto other = directory_ / "models" / ".somebody-elses.tmp";
  for (const auto& file : {left, other})
    ASSERT_TRUE(write_file_atomically(file, "half"));
  (void)open();
  EXPECT_TRUE(fs::exists(left)) << "its writer may be alive, on another machine too";
  for (const auto& file : {left, other})
    fs::last_write_time(file, fs::file_time_type::clock::now() - 2h);
  (void)open();
  EXPECT_FALSE(fs::exists(left));
  EXPECT_TRUE(fs::exists(other));
}

/// Runs `body` in a child process as nobody, whom permissions apply to; its exit code.
int as_nobody(const std::function<int()>& body) {
  const auto child = ::fork();
  if (child == 0) {
    if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0))
      ::_exit(99);
    ::_exit(body());
  }
  int ended = 0;
  ::waitpid(child, &ended, 0);
  return WIFEXITED(ended) ? WEXITSTATUS(ended) : 100;
}

TEST_F(model_files_test, says_at_once_that_its_directory_cannot_be_written) {
  fs::create_directories(directory_ / "models");
  fs::permissions(directory_ / "models",
                  fs::perms::owner_read | fs::perms::owner_exec | fs::perms::others_read | fs::perms::others_exec);
  const auto exit_code = as_nobody([&] {
    const auto opened = model_files::open(directory_ / "models");
    return opened ? 0 : static_cast<int>(opened.error().code());
  });
  EXPECT_EQ(exit_code, static_cast<int>(errc::permission));
}

TEST_F(model_files_test, says_that_its_directory_is_a_file) {
  fs::create_directories(directory_);
  ASSERT_TRUE(write_file_atomically(directory_ / "models", "x"));
  const auto opened = model_files::open(directory_ / "models");
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().text(), HasSubstr((directory_ / "models").string()));
  EXPECT_FALSE(model_files::open(directory_ / "models" / "below"));
}

/// The n-th of a row of packages of 64 KiB to 1 MiB.
std::string package_number(std::uint32_t n) {
  std::mt19937 random(n);
  std::string bytes(65536 + random() % 983040, '\0');
  for (std::size_t i = 0; i < bytes.size(); i += 512)
    bytes[i] = static_cast<char>(random());
  return bytes;
}

TEST_F(model_files_test, holds_only_whole_packages_whenever_its_process_is_killed) {
  const auto store = open();
  std::mt19937 random(1);
  for (std::uint32_t round = 0; round < 20; ++round) {
    const auto child = ::fork();
    if (child == 0) {
      for (std::uint32_t n = round * 1000;; ++n) {
        const auto bytes = package_number(n);
        if (!store.put(sha256_hex(bytes), bytes))
          ::_exit(1);
      }
    }
    // Killed somewhere in the next write, after a random number of whole ones.
    const auto enough = store.list().size() + random() % 4;
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    while (store.list().size() < enough && std::chrono::steady_clock::now() < deadline)
      ::sched_yield();
    for (auto left = random() % 200; left > 0; --left)
      ::sched_yield();
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    int ended = 0;
    ::waitpid(child, &ended, 0);
    ASSERT_TRUE(WIFSIGNALED(ended)) << "the writer ended by itself";
    for (const auto& digest : store.list())
      ASSERT_TRUE(store.read(digest)) << store.read(digest).error().text();
  }
  EXPECT_FALSE(store.list().empty());
}

} // namespace
} // namespace penstock::storage
