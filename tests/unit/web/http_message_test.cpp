// SPDX-License-Identifier: Apache-2.0
#include "web/http_message.hpp"
#include "web/text_encoding.hpp"

#include <gtest/gtest.h>

using namespace penstock;
using namespace penstock::web;

namespace {

using segments = std::vector<std::string>;

TEST(request_target, splits_the_path_before_it_decodes) {
  const auto target = parse_target("/v1/models/a%2Fb:predict?x=1");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->segments, (segments{"v1", "models", "a/b:predict"}));
}

TEST(request_target, keeps_an_empty_last_segment) {
  EXPECT_EQ(parse_target("/")->segments, segments{""});
  EXPECT_EQ(parse_target("/a/")->segments, (segments{"a", ""}));
}

TEST(request_target, decodes_the_query_with_plus_as_blank) {
  const auto target = parse_target("/p?a=1+2&b=%26&c&a=3");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->parameter("a"), "3");
  EXPECT_EQ(target->parameter("b"), "&");
  EXPECT_EQ(target->parameter("c"), "");
  EXPECT_EQ(target->parameter("d"), std::nullopt);
}

TEST(request_target, refuses_what_is_no_clean_path) {
  for (const char* bad : {"", "x", "http://h/", "*", "/%", "/%4", "/%zz", "/%00", "/..", "/a/../b", "/%2e%2E/etc", "/.",
                          "/%ff", "/%c0%af", "/%ed%a0%80", "/?a=%", "/?%=1"})
    EXPECT_FALSE(parse_target(bad)) << bad;
}

TEST(request_target, gives_back_what_was_percent_encoded) {
  const std::string odd = "a b/c?d&e=f%g\u00e4+";
  EXPECT_EQ(parse_target("/" + percent_encode(odd))->segments, segments{odd});
  EXPECT_EQ(parse_target("/?q=" + percent_encode(odd))->parameter("q"), odd);
}

TEST(text_encoding, knows_utf8_from_other_bytes) {
  for (const char* good : {"", "a", "\u00e4", "\u2603", "\U0001f3e0"})
    EXPECT_TRUE(is_utf8(good)) << good;
  for (const char* bad : {"\x80", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
                          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "a\xff"})
    EXPECT_FALSE(is_utf8(bad));
}

TEST(text_encoding, writes_base64_as_rfc_4648_has_it) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64("\xff\xfe"), "//4=");
}

TEST(text_encoding, leaves_nothing_in_html_that_ends_a_tag_or_attribute) {
  EXPECT_EQ(escape_html("<a href=\"x\">'&"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
}

} // namespace
