// SPDX-License-Identifier: Apache-2.0
#include "runtime/source_task.hpp"

#include <gtest/gtest.h>

namespace penstock::runtime {
namespace {

TEST(source_encoder, counts_the_row_number_on_when_the_data_set_is_replayed) {
  ml::data_set::column price;
  price.field.name = "price";
  price.numbers = {1.5, 2.5};
  source_spec spec;
  spec.topic = "houses";
  spec.key = "id";
  spec.record = {{"id", "$index"}, {"price", "price"}};
  auto encoder = source_encoder::make(spec, 1, std::make_shared<ml::data_set>(ml::data_set::of({price})));
  ASSERT_TRUE(encoder.ok());
  const auto outputs = encoder->encode(1, 3, 0);
  ASSERT_EQ(outputs.size(), 1u);
  const auto& records = outputs[0].records;
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].value, R"({"id":1,"price":2.5})");
  EXPECT_EQ(records[1].value, R"({"id":2,"price":1.5})");
  EXPECT_EQ(records[2].value, R"({"id":3,"price":2.5})");
  EXPECT_EQ(records[2].key, "3");
}

} // namespace
} // namespace penstock::runtime
