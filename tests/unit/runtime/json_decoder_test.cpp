// SPDX-License-Identifier: Apache-2.0
#include "runtime/json_decoder.hpp"
#include "runtime/json_encoder.hpp"
#include "runtime/json_ordered_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <regex>

using namespace penstock;
using namespace penstock::runtime;
using testing::HasSubstr;
using testing::StartsWith;

namespace {

/// id: int64 ≥ 0, rooms: float64 ≤ 100, town: nullable string, new: boolean.
ml::schema house() {
  ml::field_spec id{"id", ml::field_type::int64, false, 0, {}, {}};
  ml::field_spec rooms{"rooms", ml::field_type::float64, false, {}, 100, {}};
  ml::field_spec town{"town", ml::field_type::string, true, {}, {}, {}};
  ml::field_spec is_new{"new", ml::field_type::boolean, false, {}, {}, {}};
  return *ml::schema::make({id, rooms, town, is_new});
}

/// Decodes out of memory that ends right behind the padding, so that a sanitizer sees every byte too many.
class decoded {
public:
  decoded(json_decoder& decoder, std::string_view record, std::size_t fields)
      : memory_(std::make_unique<char[]>(record.size() + json_decoder::padding)), cells_(fields) {
    std::ranges::copy(record, memory_.get());
    std::fill_n(memory_.get() + record.size(), json_decoder::padding, '7');
    ok_ = decoder.decode({memory_.get(), record.size()}, cells_, cause_);
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] const std::string& cause() const { return cause_; }
  [[nodiscard]] const cell& operator[](std::size_t i) const { return cells_[i]; }
  [[nodiscard]] std::span<const cell> cells() const { return cells_; }

private:
  std::unique_ptr<char[]> memory_;
  std::vector<cell> cells_;
  std::string cause_;
  bool ok_ = false;
};

decoded decode(std::string_view record) {
  static json_decoder decoder(house());
  return {decoder, record, 4};
}

std::string cause(std::string_view record) {
  const auto out = decode(record);
  EXPECT_FALSE(out.ok()) << record;
  return out.ok() ? "" : out.cause();
}

TEST(json_decoder, reads_fields_in_the_schema_s_order) {
  const auto out = decode(R"({"id":7,"rooms":6.984126984126984,"town":"Pisa","new":true})");
  ASSERT_TRUE(out.ok()) << out.cause();
  EXPECT_EQ(out[0].integer, 7);
  EXPECT_EQ(out[1].number, 6.984126984126984);
  EXPECT_EQ(out[2].string(), "Pisa");
  EXPECT_TRUE(out[3].flag);
}

TEST(json_decoder, reads_any_order_blanks_unknown_fields_and_escaped_names) {
  const auto out =
      decode(" {\n\"new\" : false , \"x\": {\"id\": [1, null, \"\\n\", {}]}, \"r\\u006foms\": 3 ,\"id\":1 } \n");
  ASSERT_TRUE(out.ok()) << out.cause();
  EXPECT_EQ(out[0].integer, 1);
  EXPECT_EQ(out[1].number, 3);
  EXPECT_TRUE(out[2].is_null()) << "missing and nullable";
  EXPECT_FALSE(out[3].flag);
}

TEST(json_decoder, keeps_strings_with_escapes_until_told_to_forget) {
  json_decoder decoder(house());
  const decoded first(decoder, R"({"id":1,"rooms":1,"town":"S\u00e3o \"P\"","new":true})", 4);
  const decoded second(decoder, R"({"id":1,"rooms":1,"town":"\ud83c\udfe0","new":true})", 4);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(first[2].string(), "São \"P\"");
  EXPECT_EQ(second[2].string(), "🏠");
  const decoded plain(decoder, R"({"id":1,"rooms":1,"town":"Ærø","new":true})", 4);
  EXPECT_EQ(plain[2].string(), "Ærø");
  decoder.forget();
}

TEST(json_decoder, keeps_int64_exactly_and_takes_integers_for_float64) {
  EXPECT_EQ(decode(R"({"id":9223372036854775807,"rooms":1,"town":null,"new":true})")[0].integer,
            std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(decode(R"({"id":0,"rooms":-5,"town":null,"new":true})")[1].number, -5);
  EXPECT_EQ(decode(R"({"id":0,"rooms":1E1,"town":null,"new":true})")[1].number, 10);
  EXPECT_TRUE(std::signbit(decode(R"({"id":0,"rooms":-0.0,"town":null,"new":true})")[1].number));
}

TEST(json_decoder, names_the_exact_cause) {
  EXPECT_EQ(cause(R"({"id":1,"town":"x","new":true})"), "field rooms: missing");
  EXPECT_EQ(cause(R"({"id":1,"rooms":"6","town":"x","new":true})"), "field rooms: expected a number, found a string");
  EXPECT_EQ(cause(R"({"id":1,"rooms":{},"town":"x","new":true})"), "field rooms: expected a number, found an object");
  EXPECT_EQ(cause(R"({"id":1,"rooms":[1],"town":"x","new":true})"), "field rooms: expected a number, found a list");
  EXPECT_EQ(cause(R"({"id":1,"rooms":true,"town":"x","new":true})"), "field rooms: expected a number, found a boolean");
  EXPECT_EQ(cause(R"({"id":1,"rooms":2,"town":3,"new":true})"), "field town: expected a string, found a number");
  EXPECT_EQ(cause(R"({"id":1,"rooms":2,"town":"x","new":0})"), "field new: expected true or false, found a number");
  EXPECT_EQ(cause(R"({"id":3.0,"rooms":2,"town":"x","new":true})"), "field id: expected an integer, found 3.0");
  EXPECT_EQ(cause(R"({"id":1e2,"rooms":2,"town":"x","new":true})"), "field id: expected an integer, found 1e2");
  EXPECT_EQ(cause(R"({"id":9223372036854775808,"rooms":2,"town":"x","new":true})"),
            "field id: 9223372036854775808 does not fit into int64");
  EXPECT_EQ(cause(R"({"id":1,"rooms":-1e400,"town":"x","new":true})"), "field rooms: -1e400 is not finite");
  EXPECT_THAT(cause(R"({"id":null,"rooms":2,"town":"x","new":true})"), StartsWith("field id: is null"));
  EXPECT_THAT(cause(R"({"id":-1,"rooms":2,"town":"x","new":true})"), StartsWith("field id: -1 is below its minimum 0"));
  EXPECT_THAT(cause(R"({"id":1,"rooms":100.5,"town":"x","new":true})"), StartsWith("field rooms: 100.5 is above"));
  EXPECT_EQ(cause(R"({"id":1,"rooms":2,"town":"x","new":true,"id":1})"), "field id: occurs twice");
}

TEST(json_decoder, refuses_what_is_no_json) {
  for (const auto* number : {"NaN",  "Infinity", "-Infinity", "nan", "01",    "1.",  ".5",  "+1",  "1e",   "1e+",
                             "0x10", "-",        "1_0",       "tru", "truee", "nul", "'a'", "--1", "1..2", "1e5e5"}) {
    EXPECT_THAT(cause(fmt::format(R"({{"id":1,"rooms":{},"town":"x","new":true}})", number)),
                StartsWith("unparsable JSON: "))
        << number;
    EXPECT_THAT(cause(fmt::format(R"({{"id":1,"rooms":2,"x":{},"town":"x","new":true}})", number)),
                StartsWith("unparsable JSON: "))
        << number << " in a field that is ignored";
  }
  for (const auto* record : {"",
                             " ",
                             "{",
                             "}",
                             "{}}",
                             "[1]",
                             "7",
                             "null",
                             "\"x\"",
                             "{\"id\":1",
                             R"({"id":1,})",
                             R"({"id" 1})",
                             R"({id:1})",
                             R"({"id":1 "rooms":2})",
                             R"({"id":1,,"rooms":2})",
                             "{\"id\":1,\"rooms\":2,\"town\":\"x\",\"new\":true",
                             R"({"id":1,"rooms":2,"town":"x","new":true} x)",
                             R"({"id":1,"rooms":2,"town":"x","new":true}{})",
                             R"({"id":1,"rooms":2,"town":"x","new":true},)",
                             R"({"id":1,"rooms":2,"town":"\q","new":true})",
                             R"({"id":1,"rooms":2,"town":"\ud800","new":true})",
                             R"({"id":1,"rooms":2,"town":"x,"new":true})",
                             R"({"id":1,"rooms":2,"x":[1 2],"town":"x","new":true})",
                             R"({"id":1,"rooms":2,"x":{"a"},"town":"x","new":true})",
                             R"({"id":1,"rooms":2,"x":"\u12","town":"x","new":true})",
                             R"({"id":1,"rooms":2,"\x":1,"town":"x","new":true})",
                             "{\"id\":1,\"rooms\":2,\"town\":\"a\nb\",\"new\":true}",
                             "\xef\xbb\xbf{}",
                             R"({"id":1,"rooms":2,"town":"x","new":true]})",
                             R"({"id":1,"rooms":2,"x":[1},"town":"x","new":true})"})
    EXPECT_THAT(cause(record), StartsWith("unparsable JSON: ")) << record;
}

TEST(json_decoder, refuses_bytes_that_are_not_utf_8) {
  for (const auto* bytes : {"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    const auto record = fmt::format(R"({{"id":1,"rooms":2,"town":"{}","new":true}})", bytes);
    EXPECT_THAT(cause(record), StartsWith("unparsable JSON: "));
    const auto unknown = fmt::format(R"({{"id":1,"rooms":2,"{}":1,"town":"x","new":true}})", bytes);
    EXPECT_THAT(cause(unknown), StartsWith("unparsable JSON: "));
  }
}

TEST(json_decoder, takes_only_what_one_of_allows) {
  ml::field_spec town{"town", ml::field_type::string, false, {}, {}, {"Pisa", "Rom"}};
  ml::field_spec rooms{"rooms", ml::field_type::int64, false, {}, {}, {"1", "2"}};
  json_decoder decoder(*ml::schema::make({town, rooms}));
  EXPECT_TRUE(decoded(decoder, R"({"town":"Rom","rooms":2})", 2).ok());
  EXPECT_TRUE(decoded(decoder, R"({"rooms":1,"town":"\u0050isa"})", 2).ok());
  EXPECT_THAT(decoded(decoder, R"({"town":"Bari","rooms":2})", 2).cause(),
              StartsWith("field town: Bari is not one of"));
  EXPECT_THAT(decoded(decoder, R"({"town":"Rom","rooms":3})", 2).cause(), StartsWith("field rooms: 3 is not one of"));
}

TEST(json_decoder, reads_names_that_need_escapes) {
  json_decoder decoder(*ml::schema::make({{"a\\", ml::field_type::int64, false, {}, {}, {}},
                                          {"q\"", ml::field_type::int64, false, {}, {}, {}},
                                          {"é", ml::field_type::int64, false, {}, {}, {}}}));
  const decoded out(decoder, R"({"a\\":1,"q\"":2,"é":3})", 3);
  ASSERT_TRUE(out.ok()) << out.cause();
  EXPECT_EQ(out[1].integer, 2);
  EXPECT_FALSE(decoded(decoder, R"({"a\":1,"q\"":2,"é":3})", 3).ok());
}

TEST(json_decoder, survives_depth_and_size) {
  const std::string open(100'000, '['), close(100'000, ']');
  EXPECT_THAT(cause(R"({"id":1,"rooms":2,"x":)" + open + close + R"(,"town":"x","new":true})"),
              HasSubstr("nested deeper than 64 levels"));
  EXPECT_THAT(cause(R"({"id":1,"rooms":)" + open), StartsWith("unparsable JSON: "));
  std::string objects;
  for (int i = 0; i < 10'000; ++i)
    objects += "{\"a\":";
  EXPECT_THAT(cause(R"({"id":1,"rooms":2,"x":)" + objects), StartsWith("unparsable JSON: "));
  const std::string megabyte(std::size_t{1} << 20, 'x');
  const auto record = R"({"id":1,"rooms":2,"town":")" + megabyte + R"(","new":true})";
  const auto out = decode(record);
  ASSERT_TRUE(out.ok()) << out.cause();
  EXPECT_EQ(out[2].string().size(), megabyte.size());
  const auto unordered = R"({"new":true,"id":1,"rooms":2,"town":")" + megabyte + "\\n\"}";
  EXPECT_EQ(decode(unordered)[2].string(), megabyte + "\n");
  EXPECT_TRUE(decode(R"({"new":true,"id":1,"rooms":2})").ok());
}

// -- properties ---------------------------------------------------------------------

TEST(json_decoder, gives_back_every_float64_that_the_encoder_wrote) {
  json_decoder decoder(*ml::schema::make({{"x", ml::field_type::float64, false, {}, {}, {}}}));
  const json_encoder encoder({"x"});
  std::mt19937_64 random(4128);
  for (int i = 0; i < 200'000; ++i) {
    auto value = std::bit_cast<double>(random());
    if (i % 2 == 0)
      value = static_cast<double>(random() % 10'000'000'000) / std::pow(10, random() % 15);
    if (!std::isfinite(value))
      continue;
    std::string record;
    encoder.encode(std::vector<cell>{cell::of(value)}, record);
    const decoded out(decoder, record, 1);
    ASSERT_TRUE(out.ok()) << record << ": " << out.cause();
    ASSERT_EQ(std::bit_cast<std::uint64_t>(out[0].number), std::bit_cast<std::uint64_t>(value)) << record;
  }
}

TEST(json_decoder, reads_a_long_number_with_an_exponent_right_on_the_long_way_too) {
  const auto made = *ml::schema::make({{"a", ml::field_type::float64, false, {}, {}, {}}});
  json_decoder decoder(made);
  std::string record = R"({"a":0.123456789456701234567890e-5} )"; // the blank keeps it off the short way
  const auto length = record.size();
  record.append(json_decoder::padding, ' ');
  std::vector<cell> cells(1);
  std::string cause;
  ASSERT_TRUE(decoder.decode({record.data(), length}, cells, cause)) << cause;
  EXPECT_EQ(cells[0].number, 0.123456789456701234567890e-5);
}

TEST(json_decoder, reads_numbers_of_any_length_as_the_nearest_float64) {
  std::mt19937_64 random(65'536);
  for (int i = 0; i < 200'000; ++i) {
    std::string text(random() % 2 == 0 ? "-" : "");
    const auto digits = [&](std::size_t most) {
      for (auto n = 1 + random() % most; n > 0; --n)
        text += static_cast<char>('0' + random() % 10);
    };
    if (random() % 3 == 0) {
      text += '0';
    } else {
      text += static_cast<char>('1' + random() % 9);
      digits(18);
    }
    if (random() % 4 != 0) {
      text += '.';
      digits(22);
    }
    if (random() % 4 == 0) {
      text += "eE"[random() % 2];
      text += random() % 2 == 0 ? "-" : "+";
      digits(2);
    }
    const auto expected = std::strtod(text.c_str(), nullptr);
    text += '}';
    const char* at = text.data();
    double number = 0;
    ASSERT_TRUE(read_json_number(at, number)) << text;
    ASSERT_EQ(*at, '}');
    ASSERT_EQ(std::bit_cast<std::uint64_t>(number), std::bit_cast<std::uint64_t>(expected)) << text;
  }
}

/// A random JSON value.
nlohmann::json random_value(std::mt19937_64& random, int depth) {
  switch (random() % (depth > 0 ? 9 : 7)) {
  case 0:
    return nullptr;
  case 1:
    return random() % 2 == 0;
  case 2:
    return static_cast<std::int64_t>(random()) >> (random() % 64);
  case 3:
    return static_cast<double>(static_cast<std::int64_t>(random()) % 100'000) / 128;
  case 4:
    return static_cast<std::int64_t>(random() % 100);
  case 5:
    return std::string(random() % 4, 'x') + std::vector<std::string>{"", "\"", "\n", "é", "\\u", "🏠"}[random() % 6];
  case 6:
    return "plain";
  case 7: {
    auto list = nlohmann::json::array();
    for (auto n = random() % 4; n > 0; --n)
      list.push_back(random_value(random, depth - 1));
    return list;
  }
  default: {
    auto object = nlohmann::json::object();
    for (auto n = random() % 4; n > 0; --n)
      object["k" + std::to_string(n)] = random_value(random, depth - 1);
    return object;
  }
  }
}

/// What the schema of `house()` says about a whole document, by another reader.
bool holds(const nlohmann::json& document) {
  const auto has = [&](const char* name) { return document.contains(name); };
  return has("id") && document["id"].is_number_integer() && document["id"].get<std::int64_t>() >= 0 && has("rooms") &&
         document["rooms"].is_number() && document["rooms"].get<double>() <= 100 &&
         (!has("town") || document["town"].is_string() || document["town"].is_null()) && has("new") &&
         document["new"].is_boolean();
}

/// A document that keeps to the schema more often than not, its fields in random order.
std::string random_document(std::mt19937_64& random) {
  std::vector<std::pair<std::string, nlohmann::json>> fields{{"id", random() % 1000},
                                                             {"rooms", static_cast<double>(random() % 20'000) / 199},
                                                             {"town", "Pisa"},
                                                             {"new", true}};
  for (auto& field : fields)
    if (random() % 12 == 0)
      field.second = random_value(random, 2);
  if (random() % 8 == 0)
    fields.erase(fields.begin() + static_cast<std::ptrdiff_t>(random() % fields.size()));
  for (auto n = random() % 3; n > 0; --n)
    fields.emplace_back("extra" + std::to_string(n), random_value(random, 4));
  if (random() % 2 == 0)
    std::ranges::shuffle(fields, random);
  std::string out = "{";
  for (const auto& [name, value] : fields)
    out += (out.size() > 1 ? "," : "") + nlohmann::json(name).dump() + ":" +
           value.dump(random() % 4 == 0 ? 2 : -1, ' ', random() % 2 == 0);
  return out + "}";
}

void expect_same(const decoded& out, const nlohmann::json& document, const std::string& text) {
  ASSERT_EQ(out[0].integer, document["id"].get<std::int64_t>()) << text;
  ASSERT_EQ(out[1].number, document["rooms"].get<double>()) << text;
  if (document.contains("town") && !document["town"].is_null())
    ASSERT_EQ(out[2].string(), document["town"].get<std::string>()) << text;
  else
    ASSERT_TRUE(out[2].is_null()) << text;
  ASSERT_EQ(out[3].flag, document["new"].get<bool>()) << text;
}

TEST(json_decoder, agrees_with_another_reader_on_random_documents) {
  int good = 0, bad = 0;
  for (std::uint64_t seed = 1; seed <= 20'000; ++seed) {
    std::mt19937_64 random(seed);
    const auto text = random_document(random);
    const auto document = nlohmann::json::parse(text);
    const auto out = decode(text);
    ASSERT_EQ(out.ok(), holds(document)) << "seed " << seed << ": " << text << ": " << out.cause();
    if (out.ok())
      expect_same(out, document, text);
    (out.ok() ? good : bad) += 1;
  }
  EXPECT_GT(good, 5000);
  EXPECT_GT(bad, 2000);
}

TEST(json_decoder, gives_nothing_for_documents_that_another_reader_refuses) {
  int refused = 0;
  for (std::uint64_t seed = 1; seed <= 15'000; ++seed) {
    std::mt19937_64 random(seed);
    auto text = random_document(random);
    for (auto n = 1 + random() % 2; n > 0; --n) {
      const auto at = random() % text.size();
      switch (random() % 3) {
      case 0:
        text.erase(at, 1 + random() % 3);
        break;
      case 1:
        text[at] = static_cast<char>(random());
        break;
      default:
        text.insert(at, 1, "{}[]\",:0e.-\\tn"[random() % 14]);
      }
      if (text.empty())
        text = "x";
    }
    // A huge exponent is good JSON for us wherever the value is ignored; the other reader refuses it everywhere.
    static const std::regex huge("[eE][+]?[0-9]{3}");
    if (nlohmann::json::accept(text) || std::regex_search(text, huge))
      continue;
    ++refused;
    const auto out = decode(text);
    ASSERT_FALSE(out.ok()) << "seed " << seed << ": " << text;
    ASSERT_FALSE(out.cause().empty());
  }
  EXPECT_GT(refused, 10'000);
}

/// The short way must accept nothing that the long way refuses, and read the same.
TEST(json_decoder, takes_the_short_way_only_where_the_long_one_agrees) {
  const json_ordered_reader ordered(house());
  int taken = 0;
  for (std::uint64_t seed = 1; seed <= 15'000; ++seed) {
    std::mt19937_64 random(seed);
    std::string text =
        fmt::format(R"({{"id":{},"rooms":{},"town":"{}","new":{}}})", random() % 2000,
                    static_cast<double>(random() % 120'000) / 1000, std::string(random() % 9, 'y'), random() % 2 == 0);
    if (random() % 2 == 0)
      text[random() % text.size()] = "0123456789.-eE+\"{}[],: tfn\x80"[random() % 28];
    std::vector<cell> cells(4);
    const auto memory = std::make_unique<char[]>(text.size()); // not a byte more
    std::ranges::copy(text, memory.get());
    if (!ordered.read({memory.get(), text.size()}, cells))
      continue;
    ++taken;
    // A blank at the end is what the short way does not know.
    const auto out = decode(text + " ");
    ASSERT_TRUE(out.ok()) << "seed " << seed << ": " << text << ": " << out.cause();
    ASSERT_EQ(out[0].integer, cells[0].integer);
    ASSERT_EQ(std::bit_cast<std::uint64_t>(out[1].number), std::bit_cast<std::uint64_t>(cells[1].number)) << text;
    ASSERT_EQ(out[2].string(), cells[2].string());
    ASSERT_EQ(out[3].flag, cells[3].flag);
  }
  EXPECT_GT(taken, 5'000);
}

} // namespace
