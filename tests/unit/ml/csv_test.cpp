// SPDX-License-Identifier: Apache-2.0
#include "ml/csv_scanner.hpp"
#include "ml/data_set.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace penstock::ml {
namespace {

data_set read(std::string_view text, const csv_options& options = {}) {
  auto found = read_csv(text, options);
  EXPECT_TRUE(found) << found.error().text();
  return found ? std::move(found->data) : data_set{};
}

std::string refusal(std::string_view text, const csv_options& options = {}) {
  const auto found = read_csv(text, options);
  if (found) {
    return "accepted";
  }
  EXPECT_EQ(found.error().code(), errc::invalid);
  return found.error().text();
}

csv_options declared(std::string name, field_type type, on_error bad_rows = on_error::fail) {
  csv_options options;
  options.declared.emplace_back();
  options.declared.back().name = std::move(name);
  options.declared.back().type = type;
  options.bad_rows = bad_rows;
  return options;
}

std::vector<std::string> strings(const data_set& data, std::string_view name) {
  return data.find(name)->strings;
}

std::vector<double> numbers(const data_set& data, std::string_view name) {
  return data.find(name)->numbers;
}

TEST(csv, infers_types_from_all_values) {
  const auto data = read("i,f,b,s\n1,1.5,true,x\n-2,2,false,7\n3,-3e2,TRUE,y\n");
  ASSERT_EQ(data.rows(), 3U);
  EXPECT_EQ(data.columns()[0].field.type, field_type::int64);
  EXPECT_EQ(data.columns()[1].field.type, field_type::float64);
  EXPECT_EQ(data.columns()[2].field.type, field_type::boolean);
  EXPECT_EQ(data.columns()[3].field.type, field_type::string);
  EXPECT_EQ(numbers(data, "f"), (std::vector<double>{1.5, 2, -300}));
  EXPECT_EQ(numbers(data, "b"), (std::vector<double>{1, 0, 1}));
  EXPECT_EQ(strings(data, "s"), (std::vector<std::string>{"x", "7", "y"}));
}

TEST(csv, numbers_before_a_word_are_kept_as_they_were_written) {
  const auto data = read("s\n01\n1.50\nword\n");
  EXPECT_EQ(strings(data, "s"), (std::vector<std::string>{"01", "1.50", "word"}));
  const auto mixed = read("s\n1\ntrue\n");
  EXPECT_EQ(strings(mixed, "s"), (std::vector<std::string>{"1", "true"}));
}

TEST(csv, reads_quotes_as_rfc_4180_has_them) {
  const auto data = read("\"a,1\",b\r\n\"x \"\"y\"\" z\",\"line\nbreak\"\r\n\"\",\"\"\"\"\r\n");
  EXPECT_EQ(data.columns()[0].field.name, "a,1");
  EXPECT_EQ(strings(data, "a,1"), (std::vector<std::string>{"x \"y\" z", ""}));
  EXPECT_EQ(strings(data, "b"), (std::vector<std::string>{"line\nbreak", "\""}));
}

TEST(csv, reads_every_kind_of_line_end_and_a_byte_order_mark) {
  for (const auto* text :
       {"\xEF\xBB\xBF"
        "a,b\n1,2\n3,4\n",
        "a,b\r\n1,2\r\n3,4\r\n", "a,b\n1,2\n3,4", "a,b\r\n1,2\r\n3,4\r", "\n\na,b\n\n1,2\n\r\n3,4\n\n"}) {
    const auto data = read(text);
    EXPECT_EQ(data.rows(), 2U);
    EXPECT_EQ(numbers(data, "a"), (std::vector<double>{1, 3}));
    EXPECT_EQ(numbers(data, "b"), (std::vector<double>{2, 4}));
    EXPECT_EQ(data.find("b")->field.type, field_type::int64);
  }
}

TEST(csv, marks_missing_values) {
  const auto data = read("n,s,full\n1,a,1\nNA,?,2\n,,3\nNaN,null,4\n \t,nan,5\n");
  const auto& column = *data.find("n");
  EXPECT_EQ(column.field.type, field_type::int64);
  EXPECT_TRUE(column.field.nullable);
  EXPECT_EQ(column.missing, (std::vector<bool>{false, true, true, true, true}));
  EXPECT_TRUE(std::isnan(column.numbers[1]));
  EXPECT_EQ(data.find("s")->missing, (std::vector<bool>{false, true, true, true, true}));
  EXPECT_TRUE(data.find("full")->missing.empty());
  EXPECT_FALSE(data.find("full")->field.nullable);
  EXPECT_EQ(data.at(0, column), value(std::int64_t{1}));
  EXPECT_EQ(data.at(1, column), value(std::monostate{}));
}

TEST(csv, a_column_of_nothing_is_float64) {
  EXPECT_EQ(read("a,b\n,1\n,2\n").find("a")->field.type, field_type::float64);
}

TEST(csv, spaces_around_numbers_and_names_and_plus_signs_do_no_harm) {
  const auto data = read(" a , b\n 1 ,+2.5\n\t3,4\n");
  EXPECT_EQ(numbers(data, "a"), (std::vector<double>{1, 3}));
  EXPECT_EQ(numbers(data, "b"), (std::vector<double>{2.5, 4}));
}

TEST(csv, what_is_infinite_is_no_number) {
  EXPECT_EQ(read("a\n1\ninf\n").find("a")->field.type, field_type::string);
  EXPECT_EQ(read("a\n1\n1e999\n").find("a")->field.type, field_type::string);
  EXPECT_NE(refusal("a\n-inf\n", declared("a", field_type::float64)), "accepted");
}

TEST(csv, integers_beyond_two_to_the_53_are_not_passed_off_as_exact) {
  EXPECT_EQ(read("a\n9007199254740992\n").find("a")->field.type, field_type::int64);
  EXPECT_EQ(read("a\n9007199254740993000\n").find("a")->field.type, field_type::float64);
  EXPECT_NE(refusal("a\n9007199254740993000\n", declared("a", field_type::int64)), "accepted");
}

TEST(csv, declared_types_win) {
  EXPECT_EQ(strings(read("a\n1\n2\n", declared("a", field_type::string)), "a"), (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(read("a\n1\n2\n", declared("a", field_type::float64)).find("a")->field.type, field_type::float64);
  EXPECT_EQ(numbers(read("a\n41.0\n2\n", declared("a", field_type::int64)), "a"), (std::vector<double>{41, 2}));
}

TEST(csv, another_delimiter_can_be_named) {
  csv_options options;
  options.delimiter = ';';
  const auto data = read("a;b\n1,5;2\n", options);
  EXPECT_EQ(strings(data, "a"), (std::vector<std::string>{"1,5"}));
  options.delimiter = '"';
  EXPECT_EQ(read_csv("a\n1\n", options).error().code(), errc::configuration);
}

TEST(csv, errors_name_line_and_column) {
  EXPECT_EQ(refusal("a,b\n1,2\n1,x\n", declared("b", field_type::float64)),
            "csv: line 3: column b: \"x\" is not of type float64");
  EXPECT_EQ(refusal("a,b\n1,1.5\n", declared("b", field_type::int64)),
            "csv: line 2: column b: \"1.5\" is not of type int64");
  EXPECT_EQ(refusal("a,b\n1,1\n", declared("b", field_type::boolean)),
            "csv: line 2: column b: \"1\" is not of type boolean");
  EXPECT_EQ(refusal("a,b\n1,2\n3\n"), "csv: line 3: 1 cells, the header has 2");
  EXPECT_EQ(refusal("a,b\n1,2,3\n"), "csv: line 2: 3 cells, the header has 2");
  EXPECT_EQ(refusal("a,a\n1,2\n"), "csv: line 1: column name \"a\" occurs twice");
  EXPECT_EQ(refusal("a,\n1,2\n"), "csv: line 1: column 2 has no name");
  EXPECT_EQ(refusal("a,b\n"), "csv: there is a header line but no row below it");
  EXPECT_NE(refusal("").find("is empty"), std::string::npos);
  EXPECT_NE(refusal("\xEF\xBB\xBF").find("is empty"), std::string::npos);
  EXPECT_EQ(refusal("a\n1\n\"x\n2\n"), "csv: line 3: a quote is opened in this row and never closed");
  EXPECT_NE(refusal("a\n1\n\"x\"y\n").find("line 3: there is text behind a closing quote"), std::string::npos);
  EXPECT_EQ(refusal("Price\n1\n", declared("price", field_type::int64)),
            "csv: there is no column \"price\", which is declared; did you mean \"Price\"?");
}

TEST(csv, lines_are_counted_through_quoted_breaks_and_blank_lines) {
  EXPECT_EQ(refusal("a,b\n\"1\n\n\",2\r\n\n5\n"), "csv: line 6: 1 cells, the header has 2");
}

TEST(csv, bytes_that_are_not_utf8_are_refused_with_their_line) {
  EXPECT_NE(refusal("a\nx\n\xFF\n").find("line 3: it holds bytes that are not UTF-8"), std::string::npos);
  EXPECT_NE(refusal("\xC0\x80\n1\n").find("line 1"), std::string::npos);
  EXPECT_EQ(strings(read("a\nGrüße\n😀\n"), "a"), (std::vector<std::string>{"Grüße", "😀"}));
}

TEST(csv, knows_utf8) {
  for (const auto* good : {"", "plain ascii text", "é", "€", "😀", "\xF4\x8F\xBF\xBF", "\xED\x9F\xBF", "12345678é"}) {
    EXPECT_TRUE(is_utf8(good)) << good;
  }
  for (const auto* bad : {"\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80",
                          "\xF5\x80\x80\x80", "\xC3", "\xE2\x82", "\xF0\x9F\x98", "1234567\xC3"}) {
    EXPECT_FALSE(is_utf8(bad)) << bad;
  }
}

TEST(csv, skipped_rows_are_counted_and_the_first_reason_kept) {
  const auto found = read_csv("a,b\n1,2\n3\nx,4\n5,\xFF\n6,7\n", declared("a", field_type::int64, on_error::skip));
  ASSERT_TRUE(found) << found.error().text();
  EXPECT_EQ(found->skipped, 3U);
  EXPECT_EQ(found->first_skip_reason, "line 3: 1 cells, the header has 2");
  EXPECT_EQ(numbers(found->data, "a"), (std::vector<double>{1, 6}));
  EXPECT_EQ(numbers(found->data, "b"), (std::vector<double>{2, 7}));
}

TEST(csv, a_skipped_row_leaves_no_trace_in_what_is_inferred) {
  const auto found = read_csv("s,a,n\nv,1,1\nw,x,oops\n,2,2\n", declared("a", field_type::int64, on_error::skip));
  ASSERT_TRUE(found) << found.error().text();
  EXPECT_EQ(found->data.find("n")->field.type, field_type::int64);
  EXPECT_EQ(numbers(found->data, "n"), (std::vector<double>{1, 2}));
  EXPECT_EQ(strings(found->data, "s"), (std::vector<std::string>{"v", ""}));
  EXPECT_EQ(found->data.find("s")->missing, (std::vector<bool>{false, true}));
}

TEST(csv, a_row_refused_by_a_later_column_is_taken_back_from_the_earlier_ones) {
  auto options = declared("a", field_type::int64, on_error::skip);
  options.declared.push_back(options.declared[0]);
  options.declared[1].name = "b";
  const auto found = read_csv("a,b\n1,2\n,x\n3,4\n", options);
  ASSERT_TRUE(found);
  EXPECT_EQ(numbers(found->data, "a"), (std::vector<double>{1, 3}));
  EXPECT_EQ(numbers(found->data, "b"), (std::vector<double>{2, 4}));
  EXPECT_TRUE(found->data.find("a")->missing.empty());
}

TEST(csv, an_unclosed_quote_is_fatal_even_when_rows_may_be_skipped) {
  csv_options skip;
  skip.bad_rows = on_error::skip;
  EXPECT_NE(refusal("a\n1\n\"2\n3\n", skip).find("line 3"), std::string::npos);
  EXPECT_NE(refusal("a,b\n1\n2\n", skip).find("all 2 rows were skipped"), std::string::npos);
}

TEST(csv, progress_goes_up_to_the_end) {
  std::string text = "a,b\n";
  while (text.size() < (std::size_t{3} << 20)) {
    text += "123,word\n";
  }
  std::vector<double> shares;
  ASSERT_TRUE(read_csv(text, {}, [&](double share) { shares.push_back(share); }));
  EXPECT_GE(shares.size(), 3U);
  EXPECT_TRUE(std::is_sorted(shares.begin(), shares.end()));
  EXPECT_EQ(shares.back(), 1);
}

TEST(csv, long_cells_are_cut_in_error_texts) {
  const std::string cell(1 << 20, 'x');
  EXPECT_LT(refusal("a\n" + cell + "\n", declared("a", field_type::int64)).size(), 200U);
  std::string accents;
  for (int i = 0; i < 100; ++i) {
    accents += "é";
  }
  EXPECT_TRUE(is_utf8(refusal("a\n" + accents + "\n", declared("a", field_type::int64))));
}

TEST(csv, hostile_shapes_end_with_an_error) {
  EXPECT_NE(refusal(std::string(1 << 20, ',')).find("line 1"), std::string::npos);
  EXPECT_NE(refusal("a\n" + std::string(1 << 20, ',')).find("line 2: 1048577 cells"), std::string::npos);
  EXPECT_NE(refusal(std::string(1 << 20, 'x')).find("a name of 1048576 bytes"), std::string::npos);
  EXPECT_NE(refusal("\"" + std::string(1 << 20, 'x')).find("malformed"), std::string::npos);
  EXPECT_NE(refusal(std::string(1 << 20, '\n')).find("empty"), std::string::npos);
}

TEST(csv, one_cell_may_be_as_large_as_the_text) {
  const std::string cell(std::size_t{8} << 20, 'y');
  EXPECT_EQ(strings(read("a\n\"" + cell + "\"\"\"\n"), "a")[0], cell + "\"");
}

} // namespace
} // namespace penstock::ml
