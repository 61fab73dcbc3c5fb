// SPDX-License-Identifier: Apache-2.0
#include "runtime/control_record.hpp"

#include <nlohmann/json.hpp>

#include <concepts>
#include <limits>
#include <utility>

namespace penstock::runtime {

namespace {

using json = nlohmann::ordered_json;

/// Deeper nesting than any command has.
constexpr int max_depth = 4;

// -- one description of the members of each command, for both ways --------------------------------------------------

template <class Visitor>
void members(Visitor& v, run_started& r) {
  v.text("run", r.run);
  v.text("training", r.training);
  v.text("inputs", r.inputs);
  v.number("attempt", r.attempt);
  v.number("at", r.at);
}

template <class Visitor>
void members(Visitor& v, run_completed& r) {
  v.text("run", r.run);
  v.text("training", r.training);
  v.text("inputs", r.inputs);
  v.text("digest", r.digest);
  v.figures("metrics", r.metrics);
  v.number("at", r.at);
}

template <class Visitor>
void members(Visitor& v, run_failed& r) {
  v.text("run", r.run);
  v.text("training", r.training);
  v.number("attempt", r.attempt);
  v.flag("final", r.final);
  v.text("cause", r.cause);
  v.number("at", r.at);
}

template <class Visitor>
void members(Visitor& v, model_registered& r) {
  v.text("name", r.name);
  v.number("model_version", r.version);
  v.text("digest", r.digest);
  v.text("run", r.run);
  v.figures("metrics", r.metrics);
  v.number("at", r.at);
}

template <class Visitor>
void members(Visitor& v, alias_set& r) {
  v.text("name", r.name);
  v.text("alias", r.alias);
  v.number("model_version", r.version);
  v.number("at", r.at);
}

template <class Visitor>
void members(Visitor& v, generation_activated& r) {
  v.text("stream", r.stream);
  v.number("generation", r.generation);
  v.text("model", r.model);
  v.number("model_version", r.version);
  v.number("at", r.at);
}

template <class Visitor>
void members(Visitor& v, event_noted& r) {
  v.text("event", r.event);
  v.text("subject", r.subject);
  v.text("text", r.text);
  v.number("at", r.at);
}

constexpr const char* type_of(const run_started&) {
  return "run_started";
}
constexpr const char* type_of(const run_completed&) {
  return "run_completed";
}
constexpr const char* type_of(const run_failed&) {
  return "run_failed";
}
constexpr const char* type_of(const model_registered&) {
  return "model_registered";
}
constexpr const char* type_of(const alias_set&) {
  return "alias_set";
}
constexpr const char* type_of(const generation_activated&) {
  return "generation_activated";
}
constexpr const char* type_of(const event_noted&) {
  return "event_noted";
}

// -- writing ----------------------------------------------------------------------------------------------------------

/// At most `max_control_text` bytes, without half a UTF-8 character at the end.
std::string_view cut(std::string_view text) {
  if (text.size() <= max_control_text)
    return text;
  auto length = max_control_text;
  while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80)
    --length;
  return text.substr(0, length);
}

class json_writer {
public:
  explicit json_writer(json& to) : to_(to) {}
  void text(const char* name, const std::string& value) { to_[name] = cut(value); }
  void flag(const char* name, bool value) { to_[name] = value; }
  void number(const char* name, std::integral auto value) { to_[name] = value; }
  void figures(const char* name, const std::map<std::string, double>& values) {
    auto& object = to_[name] = json::object();
    for (const auto& [key, value] : values)
      object[key] = value;
  }

private:
  json& to_;
};

// -- reading ----------------------------------------------------------------------------------------------------------

/// Fills members; the first one that is missing or of another type is kept in `wrong`.
class json_reader {
public:
  explicit json_reader(const json& from) : from_(from) {}

  void text(const char* name, std::string& value) {
    if (const auto* found = find(name, [](const json& j) { return j.is_string(); }))
      value = found->get_ref<const std::string&>();
  }
  void flag(const char* name, bool& value) {
    if (const auto* found = find(name, [](const json& j) { return j.is_boolean(); }))
      value = found->get<bool>();
  }
  template <std::integral T>
  void number(const char* name, T& value) {
    const json* found = find(name, [](const json& j) { return fits<T>(j); });
    if (found != nullptr)
      value = found->get<T>();
  }
  void figures(const char* name, std::map<std::string, double>& values) {
    const auto* found = find(name, [](const json& j) { return j.is_object(); });
    if (found == nullptr)
      return;
    for (const auto& [key, value] : found->items()) {
      if (!value.is_number() && !value.is_null())
        refuse(name);
      else
        values[key] = value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
    }
  }
  [[nodiscard]] const std::string& wrong() const { return wrong_; }

private:
  /// A whole number that the type can hold; nothing is rounded or wrapped.
  template <class T>
  static bool fits(const json& value) {
    if (value.is_number_unsigned())
      return std::in_range<T>(value.get<std::uint64_t>());
    return value.is_number_integer() && std::in_range<T>(value.get<std::int64_t>());
  }

  template <class Accepts>
  const json* find(const char* name, Accepts accepts) {
    const auto found = from_.find(name);
    if (found != from_.end() && accepts(*found))
      return &*found;
    refuse(name);
    return nullptr;
  }
  void refuse(const char* name) {
    if (wrong_.empty())
      wrong_ = name;
  }

  const json& from_;
  std::string wrong_;
};

/// Parses without exceptions and without going deeper than `max_depth`.
result<json> parse_bounded(std::string_view text) {
  if (text.size() > max_control_bytes)
    return fail(errc::invalid, "control record: {} bytes are more than the {} allowed", text.size(), max_control_bytes);
  bool too_deep = false;
  const auto look = [&](int depth, json::parse_event_t, json&) {
    too_deep = too_deep || depth > max_depth;
    return !too_deep;
  };
  auto parsed = json::parse(text, look, false);
  if (too_deep)
    return fail(errc::invalid, "control record: nested more than {} levels deep", max_depth);
  if (parsed.is_discarded())
    return fail(errc::invalid, "control record: it is not JSON");
  if (!parsed.is_object())
    return fail(errc::invalid, "control record: it is JSON, but no object");
  return parsed;
}

/// Reads the alternative of `control_record` whose type name is `type`; tries them one after the other.
template <std::size_t Index = 0>
result<control_record> read_as(const std::string& type, const json& from) {
  if constexpr (Index == std::variant_size_v<control_record>) {
    return fail(errc::configuration,
                "control record: type '{}' is not known to this Penstock; a newer one wrote it, so use that one here",
                cut(type).substr(0, 64));
  } else {
    std::variant_alternative_t<Index, control_record> command;
    if (type != type_of(command))
      return read_as<Index + 1>(type, from);
    json_reader reader(from);
    members(reader, command);
    if (!reader.wrong().empty())
      return fail(errc::invalid, "control record: '{}' of a {} is missing or of another type", reader.wrong(), type);
    return control_record(std::move(command));
  }
}

} // namespace

std::string encode(const control_record& record) {
  json object;
  std::visit(
      [&](auto command) {
        object["type"] = type_of(command);
        object["version"] = control_version;
        json_writer writer(object);
        members(writer, command);
      },
      record);
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

result<control_record> decode_control(std::string_view text) {
  const auto parsed = parse_bounded(text);
  if (!parsed)
    return parsed.error();
  std::string type;
  std::int64_t version = 0;
  json_reader head(*parsed);
  head.text("type", type);
  head.number("version", version);
  if (!head.wrong().empty() || version < 1)
    return fail(errc::invalid, "control record: no usable '{}'", head.wrong().empty() ? "version" : head.wrong());
  if (version > control_version) {
    return fail(
        errc::configuration,
        "control record: version {} of '{}' is newer than the {} that this Penstock reads; use a newer one here",
        version, cut(type).substr(0, 64), control_version);
  }
  return read_as(type, *parsed);
}

} // namespace penstock::runtime
