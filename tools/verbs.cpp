// SPDX-License-Identifier: Apache-2.0
#include "tools/verbs.hpp"

#include "base/spelling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace penstock::tools {

namespace {

constexpr std::array program_verbs{
    verb{"run", "Run an application here, with a live view, until its stop_when", run_verb},
    verb{"node", "Run a node that stays: applications from files, HTTP", node_verb},
    verb{"get", "List actors, shards, sources, trainings, topics, models, runs, events …", get_verb},
    verb{"describe", "Show everything about one actor, shard, model or topic", describe_verb},
    verb{"model", "List and describe models", model_verb},
    verb{"cancel", "End a training for good", cancel_verb},
    verb{"topic", "List topics and read their records", topic_verb},
    verb{"config", "Check an application file, or show what it amounts to", config_verb},
    verb{"version", "Print version and build", version_verb},
};

constexpr const char* program_text =
    "Penstock takes records from a durable log, scores them with a model, writes results exactly once,\n"
    "trains and serves the model, and keeps all of that running.";

std::string table_of(const char* path, const char* text, std::span<const verb> verbs) {
  std::string out = fmt::format("Usage: {} VERB …\n\n{}\n\nVerbs:\n", path, text);
  for (const auto& each : verbs)
    out += fmt::format("  {:<10} {}\n", each.name, each.summary);
  return out + fmt::format("\n{} VERB -h explains a verb.\n", path);
}

int unknown_verb(const char* path, std::span<const verb> verbs, const std::string& word, console& to) {
  std::vector<std::string> known;
  for (const auto& each : verbs)
    known.emplace_back(each.name);
  const auto near = nearest(word, known);
  return to.report(fail(errc::usage, "unknown verb \"{}\"{}; see {} -h", word,
                        near ? ", did you mean \"" + *near + "\"?" : "", path));
}

bool asks_for_help(const std::string& word) {
  return word == "-h" || word == "--help" || word == "help";
}

} // namespace

int dispatch(const char* path, const char* text, std::span<const verb> verbs, words line, console& to) {
  if (line.empty()) {
    to.err(table_of(path, text, verbs));
    return static_cast<int>(errc::usage);
  }
  if (asks_for_help(line[0]) && (line[0] != "help" || line.size() == 1)) {
    (void)to.out(table_of(path, text, verbs));
    return 0;
  }
  const bool help = line[0] == "help";
  const auto& word = line[help ? 1 : 0];
  const auto found = std::ranges::find_if(verbs, [&](const verb& each) { return word == each.name; });
  if (found == verbs.end())
    return unknown_verb(path, verbs, word, to);
  if (!help)
    return found->run(line.subspan(1), to);
  std::vector<std::string> rest(line.begin() + 2, line.end());
  rest.emplace_back("-h");
  return found->run(rest, to);
}

int penstock_main(words line, console& to) {
  if (!line.empty() && line[0] == "--version")
    return version_verb({}, to);
  return dispatch("penstock", program_text, program_verbs, line, to);
}

} // namespace penstock::tools
