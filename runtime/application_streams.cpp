// SPDX-License-Identifier: Apache-2.0
// The kinds Source and Stream.
#include "runtime/application_kinds.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace penstock::runtime {

namespace {

constexpr std::int64_t most_repeats = 1'000'000'000;
constexpr std::int64_t unlimited = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t most_fields = 4096;
constexpr std::size_t most_classes = 1024; // each has a float64 in the scratch memory of every record of a batch

using named_texts = std::vector<std::pair<std::string, std::string>>;

/// A mapping of field names to texts, in order.
std::optional<named_texts> read_texts(spec_reader& reader, const yaml_node& node) {
  if (!reader.is(node, yaml_node::kind::mapping))
    return std::nullopt;
  if (node.entries.empty() || node.entries.size() > most_fields) {
    reader.problem(node, fmt::format("needs 1 to {} fields", most_fields));
    return std::nullopt;
  }
  named_texts out;
  for (const auto& [key, line, value] : node.entries)
    reader.at(key, line, [&, &name = key, &where = line, &content = *value] {
      const bool good_name = reader.check_field_name(where, name);
      const auto text = reader.text(content);
      if (good_name && text)
        out.emplace_back(name, *text);
    });
  return out;
}

void read_rate(const yaml_node& node, source_spec& into, spec_reader& reader) {
  if (!reader.is(node, yaml_node::kind::scalar))
    return;
  const auto rate = reader.checked(node, parse_rate(node.text));
  if (!rate)
    return;
  const double nanoseconds = 1e9 / *rate;
  if (nanoseconds < 1 || nanoseconds > 1e18)
    reader.problem(node, node.text + " cannot be kept; write interval: 0s for as fast as it goes");
  else
    into.interval = duration(static_cast<std::int64_t>(std::llround(nanoseconds)));
}

std::vector<property<source_spec>> source_properties() {
  using spec = source_spec;
  return {
      required(simple<spec>("dataset", "name", "", &spec::dataset, &spec_reader::name, "the Dataset to replay")),
      required(simple<spec>("topic", "name", "", &spec::topic, &spec_reader::name, "the Topic it writes to")),
      required(simple<spec>("key", "field of the record", "", &spec::key, &spec_reader::field_name,
                            "whose text is the record's key")),
      required(simple<spec>("record", "mapping of field to column", "", &spec::record, &read_texts,
                            "the fields of a record; `$index` is the row's number, from 0")),
      simple<spec>(
          "interval", "duration", "2s", &spec::interval,
          [](spec_reader& r, const yaml_node& n) { return r.time_span(n, duration::zero(), std::chrono::hours{24}); },
          "time between two records; 0s = as fast as it goes. Not together with rate"),
      {"rate", "number per time", "none", "records per time, like 100/s or 6000/m. Not together with interval",
       read_rate},
      simple<spec>(
          "limit", "1 …", "all rows", &spec::limit,
          [](spec_reader& r, const yaml_node& n) { return r.integer(n, 1, unlimited); }, "how many records in all"),
      simple<spec>(
          "repeat", "1 …", "1", &spec::repeat,
          [](spec_reader& r, const yaml_node& n) { return r.integer(n, 1, most_repeats); },
          "how often the data set is replayed; `$index` goes on"),
  };
}

// -- streams ------------------------------------------------------------------------

/// `2026-01-31T12:00:00Z`, also with `.123`, as milliseconds since 1970.
std::optional<wall_time> read_wall_time(std::string_view text) {
  const auto digits = [&](std::size_t at, std::size_t count) -> int {
    int value = 0;
    for (std::size_t i = at; i < at + count; ++i) {
      if (i >= text.size() || text[i] < '0' || text[i] > '9')
        return -1;
      value = value * 10 + (text[i] - '0');
    }
    return value;
  };
  constexpr std::string_view form = "0000-00-00T00:00:00";
  if (text.size() < form.size() + 1 || text.back() != 'Z')
    return std::nullopt;
  for (std::size_t i = 0; i < form.size(); ++i)
    if (form[i] != '0' && text[i] != form[i])
      return std::nullopt;
  const auto date = std::chrono::year_month_day{std::chrono::year{digits(0, 4)},
                                                std::chrono::month{static_cast<unsigned>(digits(5, 2))},
                                                std::chrono::day{static_cast<unsigned>(digits(8, 2))}};
  const int hour = digits(11, 2), minute = digits(14, 2), second = digits(17, 2);
  if (digits(0, 4) < 1970 || !date.ok() || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
      second > 59)
    return std::nullopt;
  int milliseconds = 0;
  if (const auto rest = text.substr(form.size()); rest != "Z") {
    milliseconds = rest.size() == 5 && rest[0] == '.' ? digits(form.size() + 1, 3) : -1;
    if (milliseconds < 0)
      return std::nullopt;
  }
  const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  return ((days * 24 + hour) * 60 + minute) * 60'000 + second * 1000 + milliseconds;
}

void read_from(const yaml_node& node, stream_spec& into, spec_reader& reader) {
  static const std::vector<std::string> words{"earliest", "latest"};
  static const std::vector<std::string> known{"offset", "time"};
  if (node.what == yaml_node::kind::scalar) {
    if (const auto chosen = reader.choice(node, words))
      into.from = *chosen == 0 ? start_from::earliest : start_from::latest;
    return;
  }
  if (!reader.is(node, yaml_node::kind::mapping))
    return;
  if (node.entries.size() != 1) {
    reader.problem(node, "must be earliest, latest, {offset: n} or {time: 2026-01-31T12:00:00Z}");
    return;
  }
  const auto& [key, line, value] = node.entries.front();
  if (key == "offset") {
    into.from = start_from::offset;
    into.from_value = reader.integer(*value, 0, unlimited).value_or(0);
  } else if (key == "time") {
    into.from = start_from::time;
    if (!reader.is(*value, yaml_node::kind::scalar))
      return;
    const auto time = read_wall_time(value->text);
    if (!time)
      reader.problem(*value, fmt::format("\"{}\" is no time; write it like 2026-01-31T12:00:00Z", value->text));
    into.from_value = time.value_or(0);
  } else {
    reader.unknown_key(key, line, known);
  }
}

property<stream_spec> input_section() {
  using spec = stream_spec;
  static const std::vector<std::string> reactions{"fail", "skip"};
  return required(section<spec>(
      "input",
      {
          required(simple<spec>("topic", "name", "", &spec::input_topic, &spec_reader::name, "the Topic it reads")),
          required(simple<spec>("schema", "name", "", &spec::schema, &spec_reader::name, "the Schema of its records")),
          required(property<spec>{"from", "earliest, latest, {offset: n} or {time: 2026-01-31T12:00:00Z}", "",
                                  "where the very first start begins; later ones go on where they were", read_from}),
          {"on_gap", "fail or skip", "fail", "what to do when retention removed records that were not read yet",
           [](const yaml_node& node, spec& into, spec_reader& reader) {
             if (const auto chosen = reader.choice(node, reactions))
               into.on_gap = *chosen == 0 ? on_gap::fail : on_gap::skip;
           }},
      },
      "what it reads"));
}

property<stream_spec> output_section() {
  using spec = stream_spec;
  return required(section<spec>(
      "output",
      {
          required(
              simple<spec>("topic", "name", "", &spec::output_topic, &spec_reader::name, "the Topic it writes to")),
          simple<spec>("key", "field of the output", "the input's key", &spec::output_key, &spec_reader::field_name,
                       "whose text is the record's key, which also chooses its partition"),
          required(simple<spec>("fields", "mapping of field to expression", "", &spec::output_fields, &read_texts,
                                "expressions over input fields, `prediction` (with `classes` also `probability` and "
                                "`probability_CLASS`) and output fields above")),
      },
      "what it writes"));
}

std::optional<std::int64_t> integer_of(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = failed == std::errc{} && end == text.data() + text.size();
  return whole && std::to_string(value) == text ? std::optional(value) : std::nullopt;
}

/// The classes in their order, and by what they look like the type of `prediction`.
void read_classes(const yaml_node& node, stream_spec& into, spec_reader& reader) {
  if (!reader.is(node, yaml_node::kind::sequence))
    return;
  if (node.items.size() < 2 || node.items.size() > most_classes) {
    reader.problem(node, fmt::format("needs 2 to {} classes", most_classes));
    return;
  }
  auto& classes = into.classes;
  for (const auto& item : node.items) {
    const auto name = reader.text(*item);
    if (!name)
      return;
    if (std::ranges::find(classes, *name) != classes.end())
      reader.problem(*item, *name + " occurs twice");
    else
      classes.push_back(*name);
  }
  if (std::ranges::all_of(classes, [](const auto& text) { return integer_of(text).has_value(); })) {
    into.prediction = ml::field_type::int64;
    std::ranges::sort(classes, {}, [](const std::string& text) { return *integer_of(text); });
    return;
  }
  std::ranges::sort(classes);
  into.prediction =
      classes == std::vector<std::string>{"false", "true"} ? ml::field_type::boolean : ml::field_type::string;
}

std::vector<property<stream_spec>> stream_properties() {
  using spec = stream_spec;
  const auto time_limit = [](duration least, duration most) {
    return [least, most](spec_reader& r, const yaml_node& n) { return r.time_span(n, least, most); };
  };
  using std::chrono::milliseconds;
  using std::chrono::minutes;
  return {
      input_section(),
      required(simple<spec>("model", "name", "", &spec::model, &spec_reader::name, "the model, by its registry name")),
      simple<spec>("alias", "name", "champion", &spec::alias, &spec_reader::name, "which of its versions"),
      {"classes", "list of integers, of true and false, or of texts", "none, a regression",
       "what the model tells apart: `prediction` is one of them, of their type; `probability` is its probability, "
       "`probability_CLASS` that of a class",
       read_classes},
      output_section(),
      simple<spec>("dead_letters", "name", "<stream>.dead-letters", &spec::dead_letters, &spec_reader::name,
                   "the topic of records that cannot be processed; made if it is not declared"),
      section<spec>(
          "evaluate",
          {required(simple<spec>("actual", "field", "", &spec::evaluate_actual, &spec_reader::field_name,
                                 "output or input field with the truth")),
           required(simple<spec>("predicted", "field", "", &spec::evaluate_predicted, &spec_reader::field_name,
                                 "output or input field with the prediction"))},
          "running error figures; with `classes` accuracy, log-loss, and of two classes precision, recall and F1 of "
          "the second"),
      simple<spec>(
          "shards", "1 … partitions of the input", "1", &spec::shards,
          [](spec_reader& r, const yaml_node& n) { return r.integer(n, 1, 1024); },
          "in how many units the input's partitions are placed, supervised and committed"),
      section<spec>("commit",
                    {simple<spec>("interval", "duration, 10ms … 2500ms", "100ms", &spec::commit_interval,
                                  time_limit(milliseconds{10}, milliseconds{2500}), "longest time between two commits"),
                     simple<spec>(
                         "records", "1 … 1000000", "10000", &spec::commit_records,
                         [](spec_reader& r, const yaml_node& n) { return r.integer(n, 1, 1'000'000); },
                         "most records in one commit")},
                    "when results become visible"),
      simple<spec>("watchdog", "duration, 100ms … 60m", "10s", &spec::watchdog,
                   time_limit(milliseconds{100}, minutes{60}), "a batch that takes longer is stuck"),
  };
}

} // namespace

document_kind source_kind() {
  auto kind = kind_of("Source", "Replays a data set into a topic, each row once.", source_properties(),
                      &application_spec::sources);
  kind.read = [read = std::move(kind.read)](const yaml_node& node, const std::string& name, application_spec& into,
                                            spec_reader& reader) {
    read(node, name, into, reader);
    if (node.what != yaml_node::kind::mapping)
      return;
    const auto* rate = node.find("rate");
    if (rate != nullptr && node.find("interval") != nullptr)
      reader.problem(*rate, "rate: cannot be given together with interval; remove one of them");
  };
  return kind;
}

document_kind stream_kind() {
  auto kind = kind_of("Stream", "Reads a topic, scores each record with a model, writes another topic, exactly once.",
                      stream_properties(), &application_spec::streams);
  kind.read = [read = std::move(kind.read)](const yaml_node& node, const std::string& name, application_spec& into,
                                            spec_reader& reader) {
    read(node, name, into, reader);
    if (auto& made = into.streams.back(); made.dead_letters.empty())
      made.dead_letters = name + ".dead-letters";
  };
  return kind;
}

} // namespace penstock::runtime
