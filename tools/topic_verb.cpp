// SPDX-License-Identifier: Apache-2.0
#include "base/spelling.hpp"
#include "tools/resource_table.hpp"
#include "tools/topic_source.hpp"
#include "tools/verbs.hpp"
#include "web/node_json.hpp"

#include <boost/program_options/value_semantic.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <charconv>
#include <thread>

namespace penstock::tools {

namespace {

namespace po = boost::program_options;

constexpr auto follow_every = std::chrono::milliseconds(250);

void add_source_options(verb_page& page) {
  page.options.add_options()("log", po::value<std::string>()->value_name("URL"),
                             "open this log directly, such as rocksdb:DIR; no process may hold it");
  add_url_option(page);
}

result<std::unique_ptr<topic_source>> source_of(const parsed_line& parsed) {
  if (const auto log = parsed.value("log"))
    return open_directly(*log);
  auto client = api_client::of(parsed);
  if (!client)
    return client.error();
  return over_http(*std::move(client));
}

// -- list ---------------------------------------------------------------------

int list(words line, console& to) {
  verb_page page{.name = "topic list",
                 .arguments = "",
                 .text = "Lists topics with their partitions, records and sizes.",
                 .examples = {"penstock topic list", "penstock topic list --log rocksdb:penstock-data/log -o json"}};
  add_format_option(page, "table, wide, json, jsonl, yaml or name");
  add_source_options(page);
  return with_line(page, line, to, [&](const parsed_line& parsed) {
    const auto format = format_of(parsed, {output_format::table, output_format::wide, output_format::json,
                                           output_format::jsonl, output_format::yaml, output_format::name});
    if (!format)
      return to.report(format.error());
    auto source = source_of(parsed);
    if (!source)
      return to.report(source.error());
    const auto topics = (*source)->topics();
    if (!topics)
      return to.report(topics.error());
    const auto& what = *find_resource("topics");
    if (*format == output_format::table || *format == output_format::wide)
      (void)to.out(table_of(what, *topics, *format == output_format::wide));
    else if (*format == output_format::name || *format == output_format::jsonl)
      for (const auto& each : *topics)
        (void)to.out(*format == output_format::name ? name_of(what, each) + "\n" : as_text(each, *format));
    else
      (void)to.out(as_text(document(*topics), *format));
    return 0;
  });
}

// -- consume ------------------------------------------------------------------

verb_page page_of_consume() {
  verb_page page{.name = "topic consume",
                 .arguments = "TOPIC",
                 .text = "Prints the records of a topic, partition by partition, each in its order, and ends at the\n"
                         "end. A value is printed as text; bytes that are no text come as value_base64.",
                 .examples = {"penstock topic consume house-prices-output -o jsonl | head",
                              "penstock topic consume house-prices-output --log rocksdb:penstock-data/log -o value",
                              "penstock topic consume house-prices-output --partition 2 --from 1000 --limit 10",
                              "penstock topic consume house-prices-output --from latest -f"},
                 .least = 1,
                 .most = 1};
  add_format_option(page, "jsonl (one object per record), json (one array) or value");
  add_source_options(page);
  page.options.add_options()                                                           //
      ("partition", po::value<std::int32_t>()->value_name("N"), "only this partition") //
      ("from", po::value<std::string>()->value_name("WHERE")->default_value("earliest"),
       "earliest, latest or an offset")                                                 //
      ("limit", po::value<std::uint64_t>()->value_name("N"), "at most so many records") //
      ("follow,f", "wait for further records");
  return page;
}

struct place {
  std::int32_t partition = 0;
  std::int64_t next = 0;
};

result<document> find_topic(topic_source& source, const std::string& name) {
  const auto topics = source.topics();
  if (!topics)
    return topics.error();
  std::vector<std::string> known;
  for (const auto& each : *topics) {
    known.push_back(each.at("name").get<std::string>());
    if (known.back() == name)
      return each;
  }
  const auto near = nearest(name, known);
  return fail(errc::not_found, "there is no topic \"{}\"{}; penstock topic list shows them", name,
              near ? ", did you mean \"" + *near + "\"?" : "");
}

result<std::int64_t> offset_of(const std::string& from, const document& range) {
  if (from == "earliest")
    return range.at("start").get<std::int64_t>();
  if (from == "latest")
    return range.at("end").get<std::int64_t>();
  std::int64_t offset = 0;
  const auto [end, wrong] = std::from_chars(from.data(), from.data() + from.size(), offset);
  if (wrong != std::errc{} || end != from.data() + from.size() || offset < 0)
    return fail(errc::usage, "--from {} is not possible; choose earliest, latest or an offset", from);
  return offset;
}

/// Where to begin in each partition that is wanted.
result<std::vector<place>> places_of(const parsed_line& parsed, const document& topic) {
  const auto& partitions = topic.at("partitions");
  const auto only = parsed.value<std::int32_t>("partition");
  if (only && (*only < 0 || static_cast<std::size_t>(*only) >= partitions.size()))
    return fail(errc::not_found, "topic {} has no partition {}; it has 0 to {}", topic.at("name").get<std::string>(),
                *only, partitions.size() - 1);
  std::vector<place> out;
  for (std::int32_t i = 0; i < static_cast<std::int32_t>(partitions.size()); ++i) {
    if (only && *only != i)
      continue;
    const auto offset = offset_of(*parsed.value("from"), partitions[static_cast<std::size_t>(i)]);
    if (!offset)
      return offset.error();
    out.push_back({i, *offset});
  }
  return out;
}

/// Prints records until the limit or a reader that has gone away.
class record_printer {
public:
  record_printer(console& to, output_format format, std::optional<std::uint64_t> limit)
      : to_(to), format_(format), left_(limit) {}

  /// False when no more are wanted.
  bool print(const std::vector<document>& records) {
    std::string text;
    for (const auto& record : records) {
      if (left_ && (*left_)-- == 0) {
        left_ = 0;
        break;
      }
      append(text, record);
    }
    return to_.out(text) && left_ != std::uint64_t{0};
  }

  void end() {
    if (format_ == output_format::json)
      (void)to_.out(first_ ? "[]\n" : "\n]\n");
  }

private:
  void append(std::string& to, const document& record) {
    if (format_ == output_format::json)
      to += (first_ ? "[\n" : ",\n") + web::dump_line(record);
    else if (format_ == output_format::jsonl)
      to += web::dump_line(record) + "\n";
    else
      to += value_of(record) + "\n";
    first_ = false;
  }

  static std::string value_of(const document& record) {
    if (const auto text = record.find("value"); text != record.end())
      return text->is_string() ? text->get<std::string>() : "";
    return record.value("value_base64", "");
  }

  console& to_;
  output_format format_;
  std::optional<std::uint64_t> left_;
  bool first_ = true;
};

/// Prints what is there from each place on, and moves the places behind it. False when no more are wanted.
result<bool> drain(topic_source& source, const std::string& topic, std::vector<place>& places, record_printer& out) {
  for (auto& each : places) {
    while (true) {
      auto chunk = source.read(topic, each.partition, each.next);
      if (!chunk)
        return chunk.error();
      const bool moved = chunk->next > each.next;
      each.next = std::max(each.next, chunk->next);
      if (!chunk->records.empty() && !out.print(chunk->records))
        return false;
      if (!moved || each.next >= chunk->end)
        break;
    }
  }
  return true;
}

int consume(const parsed_line& parsed, console& to) {
  const auto format = format_of(parsed, {output_format::jsonl, output_format::json, output_format::value});
  if (!format)
    return to.report(format.error());
  auto source = source_of(parsed);
  if (!source)
    return to.report(source.error());
  const bool follow = parsed.has("follow");
  if (follow && !(*source)->is_live())
    return to.report(fail(errc::usage, "-f waits for records of a running node; use --url instead of --log"));
  const auto& name = parsed.arguments[0];
  const auto topic = find_topic(**source, name);
  if (!topic)
    return to.report(topic.error());
  auto places = places_of(parsed, *topic);
  if (!places)
    return to.report(places.error());
  const auto limit = parsed.value<std::uint64_t>("limit");
  record_printer out(to, *format, limit);
  while (limit != std::uint64_t{0}) {
    const auto more = drain(**source, name, *places, out);
    if (!more)
      return to.report(more.error());
    if (!*more || !follow)
      break;
    std::this_thread::sleep_for(follow_every);
  }
  out.end();
  return 0;
}

int consume_line(words line, console& to) {
  return with_line(page_of_consume(), line, to, [&](const parsed_line& parsed) { return consume(parsed, to); });
}

constexpr std::array topic_verbs{
    verb{"list", "List topics", list},
    verb{"consume", "Print the records of a topic", consume_line},
};

} // namespace

int topic_verb(words line, console& to) {
  return dispatch("penstock topic", "Looks at topics and their records, of a running node or of a log directory.",
                  topic_verbs, line, to);
}

} // namespace penstock::tools
