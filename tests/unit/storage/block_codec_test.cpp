// SPDX-License-Identifier: Apache-2.0
#include "storage/block_codec.hpp"

#include <gtest/gtest.h>

#include <random>

namespace penstock::storage {

namespace {

record_batch batch_of(std::size_t records, std::size_t value) {
  record_batch out;
  for (std::size_t i = 0; i < records; ++i)
    out.add("key-" + std::to_string(i), std::string(value, 'v') + std::to_string(i), i % 2 ? "hh" : "",
            1000 + static_cast<wall_time>(i));
  return out;
}

std::string block_of(const record_batch& batch) {
  block_pieces pieces(batch, 0);
  return std::string(pieces.placed_at({500, 7000, 90}));
}

result<record_batch> unpack(std::string_view bytes) {
  auto header = block_header::open(bytes);
  if (!header)
    return header.error();
  std::string scratch;
  auto view = block_view::open(*header, scratch);
  if (!view)
    return view.error();
  record_batch out;
  view->copy_to(out, 0, header->count, std::size_t{1} << 30);
  return out;
}

TEST(block_codec, gives_back_what_it_was_given_packed_or_plain) {
  for (std::size_t value : {0u, 3u, 200u}) {
    auto batch = batch_of(value == 0 ? 2 : 900, value);
    batch.add_tombstone("gone", "h", 50);
    auto bytes = block_of(batch);
    auto back = unpack(bytes);
    ASSERT_TRUE(back.ok()) << back.error().text();
    ASSERT_EQ(back->size(), batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) {
      EXPECT_EQ((*back)[i].offset, 500 + static_cast<std::int64_t>(i));
      EXPECT_EQ((*back)[i].timestamp, batch[i].timestamp);
      EXPECT_EQ((*back)[i].key, batch[i].key);
      EXPECT_EQ((*back)[i].value, batch[i].value);
      EXPECT_EQ((*back)[i].headers, batch[i].headers);
      EXPECT_EQ((*back)[i].tombstone, batch[i].tombstone);
    }
  }
}

TEST(block_codec, keeps_running_totals_in_the_header) {
  auto batch = batch_of(3, 10);
  auto bytes = block_of(batch);
  auto header = block_header::open(bytes);
  ASSERT_TRUE(header.ok());
  EXPECT_EQ(header->base, 500);
  EXPECT_EQ(header->end(), 503);
  EXPECT_EQ(header->bytes_before, 7000u);
  EXPECT_EQ(header->bytes_through(), 7000u + bytes.size());
  EXPECT_EQ(header->newest, 1002);
  EXPECT_EQ(header->newest_so_far, 1002);
  block_pieces older(batch, 0);
  EXPECT_EQ(block_header::open(older.placed_at({0, 0, 5000}))->newest_so_far, 5000);
}

TEST(block_codec, cuts_a_batch_into_blocks_of_bounded_size) {
  auto many = batch_of(2500, 1);
  EXPECT_EQ(block_pieces(many, 0).count(), 1000u);
  EXPECT_EQ(block_pieces(many, 2000).count(), 500u);
  auto large = batch_of(10, 300'000);
  EXPECT_EQ(block_pieces(large, 0).count(), 3u);
  auto huge = batch_of(2, 3'000'000);
  EXPECT_EQ(block_pieces(huge, 0).count(), 1u);
}

TEST(block_codec, copies_a_part_within_its_limits) {
  auto bytes = block_of(batch_of(100, 10));
  auto header = block_header::open(bytes);
  std::string scratch;
  auto view = block_view::open(*header, scratch);
  record_batch out;
  EXPECT_EQ(view->copy_to(out, 10, 5, 1'000'000), 5u);
  EXPECT_EQ(out[0].offset, 510);
  EXPECT_EQ(view->copy_to(out, 15, 100, out.bytes() + 1), 0u);
  EXPECT_EQ(view->copy_to(out, 15, 100, 1'000'000), 85u);
  EXPECT_EQ(out[89].key, "key-99");
  record_batch one;
  EXPECT_EQ(view->copy_to(one, 0, 100, 0), 1u) << "a record larger than the limit must still come through";
}

TEST(block_codec, refuses_every_flipped_bit_and_every_cut) {
  for (std::size_t value : {2u, 100u}) {
    const auto good = block_of(batch_of(8, value));
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
      auto bad = good;
      bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
      EXPECT_FALSE(unpack(bad).ok()) << "bit " << bit;
    }
    for (std::size_t length = 0; length < good.size(); ++length)
      EXPECT_FALSE(unpack(std::string_view(good).substr(0, length)).ok()) << "cut to " << length;
  }
}

} // namespace

} // namespace penstock::storage
