// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/tools/recording_console.hpp"
#include "tools/output_format.hpp"
#include "tools/verbs.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using namespace penstock;
using namespace penstock::tools;

namespace {

struct said {
  int code = 0;
  std::string out;
  std::string err;
};

said penstock_says(const std::vector<std::string>& line) {
  recording_console to;
  const int code = penstock_main(line, to);
  return {code, to.written, to.said};
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(command_line, explains_every_verb_with_an_example) {
  const std::vector<std::vector<std::string>> verbs{{"run"},
                                                    {"node"},
                                                    {"get"},
                                                    {"describe"},
                                                    {"topic", "list"},
                                                    {"topic", "consume"},
                                                    {"config", "validate"},
                                                    {"config", "show"},
                                                    {"version"}};
  for (auto line : verbs) {
    std::string name = "penstock";
    for (const auto& word : line)
      name += " " + word;
    line.emplace_back("-h");
    const auto help = penstock_says(line);
    EXPECT_EQ(help.code, 0) << name;
    EXPECT_EQ(help.err, "") << name;
    EXPECT_TRUE(has(help.out, "Usage: " + name)) << name;
    EXPECT_TRUE(has(help.out.substr(help.out.find("Examples:")), name)) << name;
  }
}

TEST(command_line, lists_its_verbs_on_request_and_when_none_is_given) {
  EXPECT_TRUE(has(penstock_says({"-h"}).out, "describe"));
  EXPECT_TRUE(has(penstock_says({"help"}).out, "describe"));
  EXPECT_TRUE(has(penstock_says({"help", "run"}).out, "Usage: penstock run"));
  const auto none = penstock_says({});
  EXPECT_EQ(none.code, 2);
  EXPECT_EQ(none.out, "");
  EXPECT_TRUE(has(none.err, "describe"));
}

TEST(command_line, suggests_what_was_meant) {
  for (const auto& [line, meant] :
       std::vector<std::pair<std::vector<std::string>, std::string>>{{{"rum", "x"}, "\"run\""},
                                                                     {{"run", "x", "--dta", "y"}, "--data"},
                                                                     {{"topic", "lst"}, "\"list\""},
                                                                     {{"get", "actor5"}, "\"actors\""},
                                                                     {{"describe", "modle", "x"}, "\"model\""},
                                                                     {{"model", "descibe", "x"}, "\"describe\""},
                                                                     {{"cancel", "trainin", "x"}, "\"training\""},
                                                                     {{"get", "actors", "-o", "jsn"}, "json"},
                                                                     {{"version", "-o", "ymal"}, "yaml"}}) {
    const auto answer = penstock_says(line);
    EXPECT_EQ(answer.code, 2) << meant;
    EXPECT_TRUE(has(answer.err, "did you mean " + meant)) << answer.err;
    EXPECT_EQ(answer.out, "");
  }
}

TEST(command_line, names_what_is_missing_or_too_much) {
  EXPECT_TRUE(has(penstock_says({"run"}).err, "FILE"));
  EXPECT_EQ(penstock_says({"run"}).code, 2);
  EXPECT_TRUE(has(penstock_says({"run", "a", "b"}).err, "\"b\""));
  EXPECT_EQ(penstock_says({"run", "a", "--http", "x"}).code, 2);
  EXPECT_EQ(penstock_says({"run", "a", "--http"}).code, 2);
  EXPECT_EQ(penstock_says({"run", "a", "--durability", "none"}).code, 2);
}

TEST(command_line, describes_a_model_or_a_package_but_not_both) {
  for (const auto& line : std::vector<std::vector<std::string>>{{"model", "describe"},
                                                                {"model", "describe", "m", "--file", "f"},
                                                                {"model", "describe", "m:"},
                                                                {"model", "describe", ":1"}})
    EXPECT_EQ(penstock_says(line).code, 2) << line.size();
  EXPECT_EQ(penstock_says({"model", "describe", "--file", "/nowhere/x.model"}).code, 3);
  EXPECT_EQ(penstock_says({"model", "describe", "--file", "pipelines/README.md"}).code, 5);
  EXPECT_EQ(penstock_says({"model", "describe", "m", "--url", "http://127.0.0.1:1"}).code, 69);
  EXPECT_TRUE(has(penstock_says({"cancel", "-h"}).out, "penstock cancel training"));
}

TEST(command_line, does_not_take_the_beginning_of_an_option_for_the_option) {
  EXPECT_EQ(penstock_says({"run", "a", "--dat", "x"}).code, 2);
}

TEST(command_line, tells_its_version_in_words_and_in_json) {
  EXPECT_TRUE(penstock_says({"version"}).out.starts_with("penstock "));
  EXPECT_EQ(penstock_says({"--version"}).out, penstock_says({"version"}).out);
  EXPECT_TRUE(nlohmann::json::parse(penstock_says({"version", "-o", "json"}).out).contains("build"));
}

TEST(command_line, ends_with_the_code_of_the_error) {
  EXPECT_EQ(penstock_says({"config", "validate", "/nowhere/x.yaml"}).code, 3);
  EXPECT_EQ(penstock_says({"run", "/nowhere/x.yaml"}).code, 3);
  EXPECT_EQ(penstock_says({"get", "actors", "--url", "nonsense"}).code, 2);
  const auto nobody = penstock_says({"get", "actors", "--url", "http://127.0.0.1:1"});
  EXPECT_EQ(nobody.code, 69);
  EXPECT_TRUE(has(nobody.err, "is a node running?"));
}

TEST(output_format, writes_yaml_that_cannot_be_taken_for_something_else) {
  const auto content =
      document::parse(R"({"a": 1, "b": [], "c": {"d": "yes", "e": "plain text", "f": ["1", {"g": null}]},
                                           "h": [[1, 2], {}], "i": "a: b", "j": " x", "k": "line\nbreak"})");
  EXPECT_EQ(as_yaml(content), "a: 1\n"
                              "b: []\n"
                              "c:\n"
                              "  d: \"yes\"\n"
                              "  e: plain text\n"
                              "  f:\n"
                              "    - \"1\"\n"
                              "    - g: null\n"
                              "h:\n"
                              "  - - 1\n"
                              "    - 2\n"
                              "  - {}\n"
                              "i: \"a: b\"\n"
                              "j: \" x\"\n"
                              "k: \"line\\nbreak\"\n");
}

TEST(output_format, lines_columns_up_by_characters_not_bytes) {
  EXPECT_EQ(as_table({"NAME", "N"}, {{"größer", "1"}, {"a", "22"}, {"b", ""}}), "NAME    N\n"
                                                                                "größer  1\n"
                                                                                "a       22\n"
                                                                                "b\n");
}

TEST(output_format, keeps_names_from_driving_the_terminal) {
  EXPECT_EQ(as_table({"N"}, {{"a\x1b[2Jb"}}), "N\na?[2Jb\n");
}

} // namespace
