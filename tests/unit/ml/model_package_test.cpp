// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"
#include "ml/forest/forest.hpp"
#include "ml/model_codec.hpp"
#include "ml/model_package.hpp"
#include "ml/package_description.hpp"
#include "ml/sealed_block.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

namespace penstock::ml {
namespace {

field_spec number(std::string name) {
  field_spec field;
  field.name = std::move(name);
  return field;
}

/// A small package: three trees on 40 rows of two features, one of them with missing values.
model_package small_package() {
  column_matrix features(40, 2);
  vector target(40);
  for (Eigen::Index row = 0; row < 40; ++row) {
    features(row, 0) = static_cast<float>(row % 8);
    features(row, 1) = row % 5 == 0 ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(row % 3);
    target(row) = static_cast<double>(row % 8) * 1.5 + static_cast<double>(row % 3);
  }
  model_package package;
  package.learner = {"random_forest_regressor", {{"n_estimators", "3"}, {"max_depth", "3"}, {"random_state", "42"}}};
  auto trained = *(*make_learner(package.learner))->train({features, target}, {});
  package.model = std::move(trained.model);
  package.encoded_model = trained.encoded;
  package.importances = {{"a", trained.importances[0]}, {"b", trained.importances[1]}};
  auto bounded = number("a");
  bounded.min = 0;
  bounded.max = 7.25;
  auto nullable = number("b");
  nullable.nullable = true;
  nullable.one_of = {"0", "1", "2"};
  package.input = *schema::make({bounded, nullable});
  package.output = *schema::make({number("predicted_price")});
  package.metrics = {{"rmse", 0.1 + 0.2}, {"r2", std::numeric_limits<double>::quiet_NaN()}};
  package.lineage = {"abc",      "data/ü.csv", "train of test_size=0.2 seed=42", 40, 18446744073709551615U,
                     "app/name", "0.1.0"};
  for (float x : {0.0F, 3.0F, std::numeric_limits<float>::quiet_NaN()}) {
    golden_row row{{x, 1.0F}, {0}};
    package.model->predict(row.features, row.prediction);
    package.golden.push_back(row);
  }
  return package;
}

/// The package with one of its sections replaced.
std::string with_section(const model_package& package, std::size_t section, std::string_view body) {
  const std::string_view magics[] = {"PENSTPKG", "PKG_DESC", "PKG_GOLD", "PKG_MODL"};
  const auto bytes = package.encode();
  std::string_view rest = bytes;
  std::string changed;
  for (std::size_t i = 0; i < 4; ++i) {
    const auto block = unseal(rest, magics[i], 2, "test");
    changed += seal(magics[i], block->version, i == section ? body : block->body);
    rest = block->rest;
  }
  return changed;
}

void expect_refused(std::string_view bytes, errc code = errc::invalid) {
  const auto decoded = decode_package(bytes);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code(), code) << decoded.error().text();
}

TEST(model_package, is_read_back_whole) {
  const auto package = small_package();
  const auto bytes = package.encode();
  const auto loaded = decode_package(bytes, sha256_hex(bytes));
  ASSERT_TRUE(loaded) << loaded.error().text();
  const auto& found = *loaded->package;
  EXPECT_EQ(loaded->digest, sha256_hex(bytes));
  EXPECT_EQ(found.learner, package.learner);
  EXPECT_EQ(found.input, package.input);
  EXPECT_EQ(found.output, package.output);
  EXPECT_EQ(found.metrics.at("rmse"), 0.1 + 0.2);
  EXPECT_TRUE(std::isnan(found.metrics.at("r2")));
  EXPECT_EQ(found.lineage, package.lineage);
  EXPECT_EQ(found.golden.size(), 3U);
  EXPECT_EQ(found.importances, package.importances);
}

TEST(model_package, made_again_it_has_the_same_bytes) {
  EXPECT_EQ(small_package().encode(), small_package().encode());
}

TEST(model_package, every_flipped_bit_is_refused) {
  auto bytes = small_package().encode();
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_FALSE(decode_package(bytes)) << "bit " << bit;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
  }
  EXPECT_TRUE(decode_package(bytes));
}

TEST(model_package, every_truncation_and_anything_behind_its_end_is_refused) {
  const auto bytes = small_package().encode();
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    ASSERT_FALSE(decode_package(std::string_view(bytes).substr(0, length))) << length;
  }
  expect_refused(bytes + '\0');
}

TEST(model_package, another_digest_is_refused) {
  const auto decoded = decode_package(small_package().encode(), sha256_hex("another"));
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code(), errc::invalid);
  EXPECT_NE(decoded.error().text().find("SHA-256"), std::string::npos);
}

TEST(model_package, a_newer_version_asks_for_an_update) {
  const auto package = small_package();
  expect_refused(seal("PENSTPKG", 2, {}), errc::configuration);
  expect_refused(with_section(package, 3, seal(model_magic, model_version + 1, "")), errc::configuration);
  byte_writer unknown;
  unknown.string("learner_of_the_future");
  expect_refused(with_section(package, 3, seal(model_magic, model_version, unknown.bytes())), errc::configuration);
}

TEST(model_package, golden_rows_that_differ_in_the_last_bit_are_refused) {
  auto package = small_package();
  package.golden[2].prediction[0] = std::nextafter(package.golden[2].prediction[0], 1e9);
  const auto decoded = decode_package(package.encode());
  ASSERT_FALSE(decoded);
  EXPECT_NE(decoded.error().text().find("golden row 2"), std::string::npos);
}

TEST(model_package, the_cheap_check_scores_the_first_golden_row) {
  auto package = small_package();
  EXPECT_TRUE(golden_rows_hold(package));
  package.golden[0].prediction[0] += 1;
  EXPECT_FALSE(golden_rows_hold(package));
}

TEST(model_package, parts_that_do_not_belong_together_are_refused) {
  auto package = small_package();
  package.learner.type = "linear";
  expect_refused(package.encode());
  package = small_package();
  package.input = *schema::make({number("a")});
  expect_refused(package.encode());
}

TEST(model_package, hostile_golden_sections_are_refused) {
  const auto package = small_package();
  for (const auto& [rows, features] : std::vector<std::pair<std::uint32_t, std::uint32_t>>{
           {0xFFFFFFFF, 2}, {1, 2}, {0, 0}, {1, 0xFFFFFFFF}, {0xFFFFFFFF, 0xFFFFFFFF}}) {
    byte_writer golden;
    golden.number(rows);
    golden.number(features);
    expect_refused(with_section(package, 2, golden.bytes()));
  }
  expect_refused(with_section(package, 2, ""));
  expect_refused(with_section(package, 0, "x"));
}

TEST(model_package, hostile_descriptions_are_refused) {
  const auto package = small_package();
  const auto good = encode_description(package);
  const auto changed = [&](std::string_view from, std::string_view to) {
    auto text = good;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  for (const auto& text :
       {std::string(), std::string("{}"), std::string("[]"), std::string("null"), good + "x", std::string(100000, '['),
        changed("{\"importances\"", "{\"x\":[[[[[[[[[[]]]]]]]]]],\"importances\""),
        changed("\"rows\":40", "\"rows\":\"x\""), changed("float64", "float16"), changed("\"max\":7.25", "\"max\":-1"),
        changed("\"name\":\"b\"", "\"name\":\"a\""), changed("\"input\":[", "\"input\":[[],"),
        changed("\"rmse\":", "\"rmse\":[],\"x\":"), changed("app/name", "\xFF")}) {
    expect_refused(with_section(package, 1, text));
  }
  expect_refused(with_section(package, 1, std::string(std::size_t{5} << 20, ' ') + good));
}

} // namespace
} // namespace penstock::ml
