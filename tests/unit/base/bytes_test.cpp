// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>

using namespace penstock;

namespace {

TEST(crc32c, has_the_values_of_rfc_3720) {
  std::string ascending;
  for (int i = 0; i < 32; ++i)
    ascending.push_back(static_cast<char>(i));
  for (const auto crc : {crc32c, detail::crc32c_by_table}) {
    EXPECT_EQ(crc(""), 0U);
    EXPECT_EQ(crc("123456789"), 0xE3069283U);
    EXPECT_EQ(crc(std::string(32, '\0')), 0x8A9136AAU);
    EXPECT_EQ(crc(std::string(32, '\xFF')), 0x62A8AB43U);
    EXPECT_EQ(crc(ascending), 0x46DD794EU);
  }
}

TEST(crc32c, is_the_same_by_instruction_and_by_table_at_every_length_and_alignment) {
  std::mt19937 random(7);
  std::string bytes(300, '\0');
  for (auto& byte : bytes)
    byte = static_cast<char>(random());
  for (std::size_t from = 0; from < 9; ++from)
    for (std::size_t length = 0; length + from <= bytes.size(); ++length) {
      const auto piece = std::string_view(bytes).substr(from, length);
      ASSERT_EQ(crc32c(piece), detail::crc32c_by_table(piece)) << from << " " << length;
    }
}

TEST(sha256, has_the_values_of_fips_180) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(sha256, does_not_depend_on_where_the_pieces_end) {
  sha256_stream stream;
  for (const char* piece : {"a", "", "bc"})
    stream.update(piece);
  EXPECT_EQ(stream.hex(), sha256_hex("abc"));
}

TEST(byte_reader, reads_back_what_byte_writer_wrote) {
  byte_writer writer;
  writer.number(std::uint8_t{200});
  writer.number(std::int64_t{-5});
  writer.number(std::numeric_limits<double>::infinity());
  writer.string("penstock");
  writer.string("");
  writer.raw("rest");
  byte_reader reader(writer.bytes());
  EXPECT_EQ(reader.number<std::uint8_t>(), 200);
  EXPECT_EQ(reader.number<std::int64_t>(), -5);
  EXPECT_EQ(reader.number<double>(), std::numeric_limits<double>::infinity());
  EXPECT_EQ(reader.string(), "penstock");
  EXPECT_EQ(reader.string(), "");
  EXPECT_TRUE(reader.ok());
  EXPECT_FALSE(reader.at_end());
  EXPECT_EQ(reader.raw(4), "rest");
  EXPECT_TRUE(reader.ok());
  EXPECT_TRUE(reader.at_end());
}

TEST(byte_reader, writes_numbers_little_endian) {
  byte_writer writer;
  writer.number(std::uint32_t{0x01020304});
  EXPECT_EQ(writer.bytes(), std::string_view("\x04\x03\x02\x01", 4));
}

TEST(byte_reader, is_not_ok_for_good_after_a_cut_at_any_place) {
  byte_writer writer;
  writer.number(std::uint32_t{1});
  writer.string("abc");
  const auto whole = std::move(writer).bytes();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    byte_reader reader(std::string_view(whole).substr(0, length));
    (void)reader.number<std::uint32_t>();
    (void)reader.string();
    EXPECT_FALSE(reader.ok()) << length;
    EXPECT_EQ(reader.number<std::uint8_t>(), 0);
    EXPECT_EQ(reader.raw(0), "");
    EXPECT_FALSE(reader.ok()) << length;
  }
}

TEST(byte_reader, survives_a_length_beyond_its_bytes) {
  byte_writer writer;
  writer.number(std::numeric_limits<std::uint32_t>::max());
  writer.raw("abc");
  byte_reader reader(writer.bytes());
  EXPECT_EQ(reader.string(), "");
  EXPECT_FALSE(reader.ok());
}

} // namespace
