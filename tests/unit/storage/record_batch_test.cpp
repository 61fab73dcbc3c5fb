// SPDX-License-Identifier: Apache-2.0
#include "storage/record_batch.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace penstock::storage {

namespace {

// -- headers ------------------------------------------------------------------

TEST(headers, come_back_as_they_were_encoded) {
  const header_list list = {{"a", "1"}, {"", ""}, {"b", std::string("\0x", 2)}};
  EXPECT_EQ(decode_headers(encode_headers(list)), list);
}

TEST(headers, find_the_last_of_a_name) {
  const auto encoded = encode_headers({{"a", "1"}, {"b", "2"}, {"a", "3"}});
  EXPECT_EQ(find_header(encoded, "a"), "3");
  EXPECT_EQ(find_header(encoded, "c"), std::nullopt);
}

TEST(headers, end_at_the_first_malformed_byte) {
  auto encoded = encode_headers({{"a", "1"}, {"b", "2"}});
  for (std::size_t length = 0; length < encoded.size(); ++length) {
    const auto cut = std::string_view(encoded).substr(0, length);
    EXPECT_EQ(decode_headers(cut).size(), length < encoded.size() / 2 ? 0u : 1u) << length;
    (void)find_header(cut, "b");
  }
}

// -- batch --------------------------------------------------------------------

/// Reads the padding behind a value: the sanitizer speaks up where it is not ours.
unsigned touch_padding(const record_batch& batch) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const volatile char* end = batch[i].value.data() + batch[i].value.size();
    for (std::size_t at = 0; at < record_batch::padding; ++at)
      sum += static_cast<unsigned char>(end[at]);
  }
  return sum;
}

TEST(record_batch, keeps_readable_bytes_behind_every_value_in_copies_too) {
  for (std::size_t size : {0u, 1u, 15u, 16u, 100u, 4096u}) {
    record_batch batch;
    batch.add("k", std::string(size, 'v'), {}, 0);
    (void)touch_padding(batch);
    record_batch copy = batch;
    (void)touch_padding(copy);
    record_batch moved = std::move(copy);
    (void)touch_padding(moved);
    record_batch joined;
    joined.append(moved);
    (void)touch_padding(joined);
    joined = batch;
    (void)touch_padding(joined);
    batch.begin("k", {}, 0);
    batch.value() += std::string(size, 'w');
    batch.end();
    (void)touch_padding(batch);
    EXPECT_EQ(joined[0].value, std::string(size, 'v'));
  }
}

TEST(record_batch, drops_a_cancelled_record_whole) {
  record_batch batch;
  batch.add("a", "1", "h", 5);
  batch.begin("key", "headers", 6);
  batch.value() += "half a val";
  batch.cancel();
  batch.add("b", "2", {}, 7);
  ASSERT_EQ(batch.size(), 2u);
  EXPECT_EQ(batch.bytes(), 5u);
  EXPECT_EQ(batch[1].key, "b");
  EXPECT_EQ(batch[1].value, "2");
}

TEST(record_batch, joins_batches_and_numbers_them) {
  record_batch first;
  first.add("a", "1", {}, 1);
  first.add_tombstone("b", "h", 2);
  record_batch second;
  second.add("c", "3", "hh", 3);
  second.append(first);
  second.append(second);
  second.number_from(100);
  ASSERT_EQ(second.size(), 6u);
  EXPECT_EQ(second[5].offset, 105);
  EXPECT_TRUE(second[5].tombstone);
  EXPECT_EQ(second[5].key, "b");
  EXPECT_EQ(second[3].value, "3");
  EXPECT_EQ(second[3].headers, "hh");
  second.clear();
  EXPECT_TRUE(second.empty());
  EXPECT_EQ(second.bytes(), 0u);
}

// -- partitioning -------------------------------------------------------------

TEST(partition_of, gives_the_partitions_of_kafkas_java_client) {
  // Hashes as in Kafka's own UtilsTest.testMurmur2.
  const std::pair<const char*, std::int32_t> known[] = {
      {"21", -973932308},
      {"foobar", -790332482},
      {"a-little-bit-long-string", -985981536},
      {"a-little-bit-longer-string", -1486304829},
      {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
      {"abc", 479470107},
  };
  for (const auto& [key, hash] : known)
    for (std::int32_t partitions : {1, 4, 7, 1000, 0x7fffffff})
      EXPECT_EQ(partition_of(key, partitions), (hash & 0x7fffffff) % partitions) << key;
}

} // namespace

} // namespace penstock::storage
