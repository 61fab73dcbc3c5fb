// SPDX-License-Identifier: Apache-2.0
#include "storage/directory_lock.hpp"
#include "tools/data_directory.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

using namespace penstock;
using namespace penstock::tools;
namespace fs = std::filesystem;

namespace {

struct data_directory_test : testing::Test {
  fs::path place;

  void SetUp() override {
    std::string form = (fs::temp_directory_path() / "penstock-data-XXXXXX").string();
    ASSERT_NE(::mkdtemp(form.data()), nullptr);
    place = form;
  }
  void TearDown() override { fs::remove_all(place); }
};

TEST_F(data_directory_test, may_not_exist_yet_and_is_not_made_by_looking) {
  EXPECT_TRUE(check_data_directory(place / "a" / "b", "alpha"));
  EXPECT_FALSE(fs::exists(place / "a"));
}

TEST_F(data_directory_test, belongs_to_the_node_that_claimed_it_first) {
  ASSERT_TRUE(claim_data_directory(place / "d", "alpha"));
  EXPECT_TRUE(check_data_directory(place / "d", "alpha"));
  const auto other = check_data_directory(place / "d", "beta");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code(), errc::conflict);
  EXPECT_NE(other.error().text().find("alpha"), std::string::npos);
  EXPECT_NE(other.error().text().find("--data"), std::string::npos);
}

TEST_F(data_directory_test, is_refused_when_it_is_a_file_or_lies_below_one) {
  std::ofstream(place / "file") << "x";
  for (const auto& where : {place / "file", place / "file" / "deeper"})
    EXPECT_EQ(check_data_directory(where, "alpha").error().code(), errc::permission) << where;
}

TEST_F(data_directory_test, is_refused_when_its_owner_cannot_be_read) {
  ASSERT_TRUE(claim_data_directory(place, "alpha"));
  std::ofstream(place / "node.json") << "{\"node\": 1}";
  EXPECT_EQ(check_data_directory(place, "alpha").error().code(), errc::invalid);
}

TEST_F(data_directory_test, names_the_process_that_holds_it) {
  fs::create_directories(place / "log");
  const auto held = storage::directory_lock::hold(place / "log", "node alpha, pid 4711");
  ASSERT_TRUE(held);
  const auto other = check_data_directory(place, "alpha");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code(), errc::conflict);
  EXPECT_NE(other.error().text().find("4711"), std::string::npos);
}

} // namespace
