// SPDX-License-Identifier: Apache-2.0
#include "runtime/json_decoder.hpp"

#include "runtime/json_ordered_reader.hpp"
#include "storage/record_batch.hpp"

#include <simdjson.h>

#include <algorithm>
#include <limits>
#include <memory_resource>
#include <optional>
#include <vector>

namespace penstock::runtime {

namespace {

namespace ondemand = simdjson::ondemand;

static_assert(json_decoder::padding >= simdjson::SIMDJSON_PADDING);
static_assert(storage::record_batch::padding >= json_decoder::padding);

/// The parser keeps about eight times the longest record it saw; beyond this length it is not kept.
constexpr std::size_t longest_kept = std::size_t{64} << 10;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// `number` of RFC 8259 §6.
bool is_json_number(std::string_view text) {
  std::size_t at = 0;
  const auto digits = [&] {
    const auto first = at;
    while (at < text.size() && is_digit(text[at]))
      ++at;
    return at > first;
  };
  if (at < text.size() && text[at] == '-')
    ++at;
  if (at < text.size() && text[at] == '0')
    ++at;
  else if (!digits())
    return false;
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (!digits())
      return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-'))
      ++at;
    if (!digits())
      return false;
  }
  return at == text.size();
}

/// What a cause quotes of a record: printable, short.
std::string quote(std::string_view raw) {
  std::string out;
  for (const char c : raw.substr(0, 40))
    out += static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f
               ? fmt::format("\\x{:02x}", static_cast<unsigned char>(c))
               : std::string(1, c);
  return raw.size() > 40 ? out + "…" : out;
}

/// The text of a scalar without the blanks behind it.
std::string_view token_of(ondemand::value& value) {
  std::string_view token = value.raw_json_token();
  while (!token.empty() &&
         (token.back() == ' ' || token.back() == '\n' || token.back() == '\r' || token.back() == '\t'))
    token.remove_suffix(1);
  return token;
}

/// A field of the schema, ready for comparing.
struct wanted_field {
  ml::field_spec spec;
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  bool raw_name = true; ///< the name is written in JSON as it is, without escapes
};

} // namespace

struct json_decoder::content {
  explicit content(const ml::schema& schema);

  json_ordered_reader ordered;

  [[nodiscard]] bool decode(std::string_view record, std::span<cell> cells, std::string& cause);

  std::vector<wanted_field> fields;
  std::vector<std::pair<std::string_view, std::size_t>> by_name; ///< sorted
  std::vector<std::uint64_t> seen;                               ///< number of the record that had the field last
  std::uint64_t record_number = 0;
  std::unique_ptr<ondemand::parser> parser = std::make_unique<ondemand::parser>();
  std::pmr::monotonic_buffer_resource escaped; ///< strings that had escapes
  bool any_escaped = false;

private:
  bool unparsable(std::string& cause, simdjson::error_code why) const;
  bool malformed(std::string& cause, const wanted_field& field, std::string_view token) const;
  std::optional<std::size_t> find(ondemand::field& field, std::size_t expected, const char* end, std::string& cause);
  bool read(const wanted_field& field, ondemand::value& value, cell& into, std::string& cause);
  bool read_number(const wanted_field& field, ondemand::value& value, cell& into, std::string& cause);
  bool read_string(const wanted_field& field, ondemand::value& value, cell& into, std::string& cause);
  bool read_other(const wanted_field& field, ondemand::value& value, cell& into, std::string& cause);
  bool check(const wanted_field& field, const cell& value, std::string& cause) const;
  bool fill_missing(std::span<cell> cells, std::string& cause) const;
  bool walk(ondemand::value& value, int depth, std::string& cause);
  bool walk_inside(ondemand::value& value, bool is_object, int depth, std::string& cause);
};

json_decoder::content::content(const ml::schema& schema) : ordered(schema), seen(schema.size(), 0) {
  for (const auto& spec : schema.fields()) {
    wanted_field field{spec};
    field.min = spec.min.value_or(field.min);
    field.max = spec.max.value_or(field.max);
    field.raw_name = std::ranges::none_of(
        spec.name, [](char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; });
    fields.push_back(std::move(field));
  }
  for (std::size_t i = 0; i < fields.size(); ++i)
    by_name.emplace_back(fields[i].spec.name, i);
  std::ranges::sort(by_name);
}

bool json_decoder::content::unparsable(std::string& cause, simdjson::error_code why) const {
  cause = fmt::format("unparsable JSON: {}", simdjson::error_message(why));
  return false;
}

bool json_decoder::content::malformed(std::string& cause, const wanted_field& field, std::string_view token) const {
  cause = fmt::format("unparsable JSON: field {}: {} is no JSON value", field.spec.name, quote(token));
  return false;
}

/// The schema's field that this one is; the number of fields when it is none of them; nothing when the key is
/// malformed.
std::optional<std::size_t> json_decoder::content::find(ondemand::field& field, std::size_t expected, const char* end,
                                                       std::string& cause) {
  const char* raw = field.key().raw();
  const auto is_field = [&](std::size_t index) {
    const auto& name = fields[index].spec.name;
    return fields[index].raw_name && static_cast<std::size_t>(end - raw) > name.size() && raw[name.size()] == '"' &&
           std::memcmp(raw, name.data(), name.size()) == 0;
  };
  if (expected < fields.size() && is_field(expected))
    return expected;
  std::string_view key;
  if (const auto failed = field.unescaped_key().get(key)) {
    unparsable(cause, failed);
    return std::nullopt;
  }
  const auto found = std::ranges::lower_bound(by_name, key, {}, &std::pair<std::string_view, std::size_t>::first);
  return found != by_name.end() && found->first == key ? found->second : fields.size();
}

bool json_decoder::content::check(const wanted_field& field, const cell& value, std::string& cause) const {
  const auto number = value.as_number();
  const bool in_bounds = number >= field.min && number <= field.max;
  if ((in_bounds || value.what == cell::kind::string) && field.spec.one_of.empty())
    return true;
  const auto checked = ml::check(field.spec, value_of(value));
  if (!checked)
    cause = checked.error().text();
  return checked.ok();
}

bool json_decoder::content::read_number(const wanted_field& field, ondemand::value& value, cell& into,
                                        std::string& cause) {
  if (field.spec.type == ml::field_type::int64) {
    std::int64_t number = 0;
    if (value.get_int64().get(number))
      return read_other(field, value, into, cause);
    into = cell::of(number);
  } else {
    // Not simdjson's get_double: 3.0.1 reads 0.123456789456701234567890e-5 as 1.1e-10.
    const auto token = token_of(value);
    const char* at = token.data();
    double number = 0;
    if (!read_json_number(at, number) || at != token.data() + token.size())
      return read_other(field, value, into, cause);
    into = cell::of(number);
  }
  return check(field, into, cause);
}

bool json_decoder::content::read_string(const wanted_field& field, ondemand::value& value, cell& into,
                                        std::string& cause) {
  const auto token = token_of(value);
  if (token.size() < 2 || token.front() != '"')
    return read_other(field, value, into, cause);
  if (token.find('\\') == std::string_view::npos) {
    into = cell::of(token.substr(1, token.size() - 2));
  } else {
    std::string_view text;
    if (const auto failed = value.get_string().get(text))
      return unparsable(cause, failed);
    auto* copy = static_cast<char*>(escaped.allocate(text.size() + 1, 1));
    std::ranges::copy(text, copy);
    any_escaped = true;
    into = cell::of(std::string_view(copy, text.size()));
  }
  return check(field, into, cause);
}

/// The value is not of the field's type: null, another type, or nothing that JSON knows.
bool json_decoder::content::read_other(const wanted_field& field, ondemand::value& value, cell& into,
                                       std::string& cause) {
  const auto token = token_of(value);
  const char first = token.empty() ? '\0' : token.front();
  const auto found = [&](const char* what) {
    const char* wanted = field.spec.type == ml::field_type::string    ? "a string"
                         : field.spec.type == ml::field_type::boolean ? "true or false"
                         : field.spec.type == ml::field_type::int64   ? "an integer"
                                                                      : "a number";
    cause = fmt::format("field {}: expected {}, found {}", field.spec.name, wanted, what);
    return false;
  };
  switch (first) {
  case '"':
    return found("a string");
  case '{':
    return found("an object");
  case '[':
    return found("a list");
  default:
    break;
  }
  if (token == "true" || token == "false")
    return found("a boolean");
  if (token == "null") {
    bool is_null = false;
    if (const auto failed = value.is_null().get(is_null))
      return unparsable(cause, failed);
    into = {};
    if (field.spec.nullable)
      return true;
    const auto checked = ml::check(field.spec, std::monostate{});
    cause = checked ? fmt::format("field {}: is null", field.spec.name) : checked.error().text();
    return false;
  }
  if (!is_json_number(token))
    return malformed(cause, field, token);
  if (field.spec.type == ml::field_type::float64)
    cause = fmt::format("field {}: {} is not finite", field.spec.name, quote(token));
  else if (field.spec.type == ml::field_type::int64 && token.find_first_of(".eE") == std::string_view::npos)
    cause = fmt::format("field {}: {} does not fit into int64", field.spec.name, quote(token));
  else if (field.spec.type == ml::field_type::int64)
    return found(quote(token).c_str());
  else
    return found("a number");
  return false;
}

bool json_decoder::content::read(const wanted_field& field, ondemand::value& value, cell& into, std::string& cause) {
  switch (field.spec.type) {
  case ml::field_type::int64:
  case ml::field_type::float64:
    return read_number(field, value, into, cause);
  case ml::field_type::string:
    return read_string(field, value, into, cause);
  case ml::field_type::boolean:
    break;
  }
  bool flag = false;
  if (value.get_bool().get(flag))
    return read_other(field, value, into, cause);
  into = cell::of(flag);
  return field.spec.one_of.empty() || check(field, into, cause);
}

bool json_decoder::content::walk_inside(ondemand::value& value, bool is_object, int depth, std::string& cause) {
  if (depth >= deepest) {
    cause = fmt::format("unparsable JSON: nested deeper than {} levels", deepest);
    return false;
  }
  ondemand::value inner;
  if (is_object) {
    ondemand::object object;
    if (const auto failed = value.get_object().get(object))
      return unparsable(cause, failed);
    for (auto item : object) {
      std::string_view key;
      if (const auto failed = item.unescaped_key().get(key))
        return unparsable(cause, failed);
      if (const auto failed = item.value().get(inner))
        return unparsable(cause, failed);
      if (!walk(inner, depth + 1, cause))
        return false;
    }
    return true;
  }
  ondemand::array array;
  if (const auto failed = value.get_array().get(array))
    return unparsable(cause, failed);
  for (auto item : array) {
    if (const auto failed = item.get(inner))
      return unparsable(cause, failed);
    if (!walk(inner, depth + 1, cause))
      return false;
  }
  return true;
}

/// Checks a value that nobody wants: without this, On-Demand would only count its braces.
bool json_decoder::content::walk(ondemand::value& value, int depth, std::string& cause) {
  const auto token = token_of(value);
  const char first = token.empty() ? '\0' : token.front();
  if (first == '{' || first == '[')
    return walk_inside(value, first == '{', depth, cause);
  if (first == '"') {
    std::string_view text;
    const auto failed = value.get_string().get(text);
    return !failed || unparsable(cause, failed);
  }
  if (token == "true" || token == "false" || token == "null" || is_json_number(token))
    return true;
  cause = fmt::format("unparsable JSON: {} is no JSON value", quote(token));
  return false;
}

bool json_decoder::content::fill_missing(std::span<cell> cells, std::string& cause) const {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (seen[i] == record_number)
      continue;
    if (!fields[i].spec.nullable) {
      cause = fmt::format("field {}: missing", fields[i].spec.name);
      return false;
    }
    cells[i] = {};
  }
  return true;
}

bool json_decoder::content::decode(std::string_view record, std::span<cell> cells, std::string& cause) {
  ++record_number;
  ondemand::document document;
  const simdjson::padded_string_view padded(record.data(), record.size(), record.size() + padding);
  if (const auto failed = parser->iterate(padded).get(document))
    return unparsable(cause, failed);
  ondemand::object object;
  if (const auto failed = document.get_object().get(object)) {
    if (failed != simdjson::INCORRECT_TYPE)
      return unparsable(cause, failed);
    cause = "unparsable JSON: expected an object, found " + quote(record);
    return false;
  }
  std::size_t expected = 0;
  std::size_t known = 0;
  for (auto item : object) {
    ondemand::field field;
    if (const auto failed = std::move(item).get(field))
      return unparsable(cause, failed);
    const auto index = find(field, expected, record.data() + record.size(), cause);
    if (!index)
      return false;
    if (*index == fields.size()) {
      if (!walk(field.value(), 0, cause))
        return false;
      continue;
    }
    if (seen[*index] == record_number) {
      cause = fmt::format("field {}: occurs twice", fields[*index].spec.name);
      return false;
    }
    seen[*index] = record_number;
    if (!read(fields[*index], field.value(), cells[*index], cause))
      return false;
    expected = *index + 1;
    ++known;
  }
  const char* rest = nullptr;
  if (document.current_location().get(rest) != simdjson::OUT_OF_BOUNDS) {
    cause = "unparsable JSON: something follows the object";
    return false;
  }
  return known == fields.size() || fill_missing(cells, cause);
}

json_decoder::json_decoder(const ml::schema& schema) : content_(std::make_unique<content>(schema)) {}
json_decoder::~json_decoder() = default;
json_decoder::json_decoder(json_decoder&&) noexcept = default;

bool json_decoder::decode(std::string_view record, std::span<cell> cells, std::string& cause) {
  if (content_->ordered.read(record, cells))
    return true;
  const bool decoded = content_->decode(record, cells, cause);
  if (record.size() > longest_kept)
    content_->parser = std::make_unique<ondemand::parser>();
  return decoded;
}

void json_decoder::forget() {
  if (std::exchange(content_->any_escaped, false))
    content_->escaped.release();
}

} // namespace penstock::runtime
