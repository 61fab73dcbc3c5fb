// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/units.hpp"
#include "runtime/spec_reader_yaml.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penstock::runtime {

/// Where the reading of a file stands: the mistakes found so far, and the line of every key that was read. Text and
/// number readers return nothing after they noted what was wrong.
class spec_reader {
public:
  explicit spec_reader(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // -- mistakes -----------------------------------------------------------------

  void problem(int line, std::string text) { problems_.push_back({line, std::move(text)}); }
  /// `subject: path: text`, on the line of the node.
  void problem(const yaml_node& node, const std::string& text) { problem(node.line, where() + ": " + text); }
  [[nodiscard]] std::vector<spec_problem>& problems() { return problems_; }

  // -- places -------------------------------------------------------------------

  /// From here on keys belong to a document: `Stream prices`.
  void subject(std::string name, int line);
  /// Runs `inside` one key deeper.
  template <class Inside>
  void at(const std::string& key, int line, Inside&& inside) {
    const auto length = path_.size();
    path_ += path_.empty() || key.starts_with('[') ? key : "." + key;
    places_[subject_ + ": " + path_] = line;
    inside();
    path_.resize(length);
  }
  /// What is being read: `Stream prices: input.topic`.
  [[nodiscard]] std::string where() const { return path_.empty() ? subject_ : subject_ + ": " + path_; }
  /// Line of a key such as `input.topic` of a subject; of the nearest one above it where it was not written.
  [[nodiscard]] int line_of(const std::string& subject, std::string path) const;

  // -- values -------------------------------------------------------------------

  [[nodiscard]] std::optional<std::string> text(const yaml_node& node);
  /// `[a-z0-9]([-_a-z0-9.]*[a-z0-9])?`, at most 63 long.
  [[nodiscard]] std::optional<std::string> name(const yaml_node& node);
  /// 1 to 63 bytes without control characters.
  [[nodiscard]] std::optional<std::string> field_name(const yaml_node& node);
  bool check_field_name(int line, std::string_view name);
  [[nodiscard]] std::optional<std::int64_t> integer(const yaml_node& node, std::int64_t least, std::int64_t most);
  [[nodiscard]] std::optional<double> number(const yaml_node& node);
  [[nodiscard]] std::optional<bool> flag(const yaml_node& node);
  [[nodiscard]] std::optional<duration> time_span(const yaml_node& node, duration least, duration most);
  [[nodiscard]] std::optional<std::uint64_t> size(const yaml_node& node);
  [[nodiscard]] std::optional<double> fraction(const yaml_node& node);
  /// Index of the chosen word.
  [[nodiscard]] std::optional<std::size_t> choice(const yaml_node& node, std::span<const std::string> words);
  /// Absolute; relative ones start at the file's folder.
  [[nodiscard]] std::optional<std::filesystem::path> path_to(const yaml_node& node);
  [[nodiscard]] std::optional<std::vector<std::string>> field_names(const yaml_node& node);
  /// Notes a problem unless the node is of that kind.
  [[nodiscard]] bool is(const yaml_node& node, yaml_node::kind wanted);
  /// Takes the value if the result has one, else notes its error.
  template <class T>
  std::optional<T> checked(const yaml_node& node, const result<T>& value) {
    if (value)
      return *value;
    problem(node, value.error().text());
    return std::nullopt;
  }

  void unknown_key(const std::string& key, int line, std::span<const std::string> known);

private:
  std::filesystem::path folder_;
  std::string subject_;
  std::string path_;
  std::vector<spec_problem> problems_;
  std::map<std::string, int> places_;
};

/// ` (did you mean …?)` for the nearest of the known words, else empty.
[[nodiscard]] std::string suggestion(std::string_view word, std::span<const std::string> known);
[[nodiscard]] bool is_name(std::string_view text);

// -- what keys there are ----------------------------------------------------------

/// One key that a user may write: what it is, what it means, and where its value goes.
template <class Spec>
struct property {
  using reader = std::function<void(const yaml_node&, Spec&, spec_reader&)>;

  property(std::string key_, std::string type_, std::string fallback_, std::string doc_, reader read_,
           std::vector<property> inside_ = {})
      : key(std::move(key_)), type(std::move(type_)), fallback(std::move(fallback_)), doc(std::move(doc_)),
        read(std::move(read_)), inside(std::move(inside_)) {}

  std::string key;
  std::string type;     ///< for people: `duration`, `1 … 1024`
  std::string fallback; ///< default, for people
  std::string doc;      ///< one sentence
  reader read;
  bool required = false;
  std::vector<property> inside; ///< keys of a mapping, whose paths begin with this key
};

/// One line of the reference of all keys.
struct reference_row {
  std::string key, type, fallback, doc;
};

template <class Spec>
void describe(const std::vector<property<Spec>>& properties, const std::string& prefix,
              std::vector<reference_row>& rows) {
  for (const auto& p : properties) {
    if (p.inside.empty())
      rows.push_back({prefix + p.key, p.type, p.required ? "required" : p.fallback, p.doc});
    else
      describe(p.inside, prefix + p.key + ".", rows);
  }
}

/// Reads a mapping key by key; notes unknown and missing ones.
template <class Spec>
void read_mapping(const yaml_node& node, const std::vector<property<Spec>>& properties, Spec& into,
                  spec_reader& reader) {
  if (node.what != yaml_node::kind::null && !reader.is(node, yaml_node::kind::mapping))
    return;
  std::vector<std::string> known;
  for (const auto& p : properties)
    known.push_back(p.key);
  for (const auto& entry : node.entries) {
    const auto found = std::ranges::find(properties, entry.key, &property<Spec>::key);
    if (found == properties.end()) {
      reader.unknown_key(entry.key, entry.line, known);
      continue;
    }
    reader.at(entry.key, entry.line, [&] {
      if (entry.value->what == yaml_node::kind::null)
        reader.problem(entry.line,
                       reader.where() + ": has no value; write one (" + found->type + ") or remove the key");
      else
        found->read(*entry.value, into, reader);
    });
  }
  for (const auto& p : properties)
    if (p.required && node.find(p.key) == nullptr)
      reader.problem(node, "needs " + p.key + ", " + p.doc);
}

template <class Spec>
[[nodiscard]] property<Spec> required(property<Spec> p) {
  p.required = true;
  return p;
}

/// A key whose reader returns the value or nothing; `Member` leads from the spec to where it goes.
template <class Spec, class Member, class Reader>
[[nodiscard]] property<Spec> simple(std::string key, std::string type, std::string fallback, Member member,
                                    Reader reader, std::string doc) {
  return {std::move(key), std::move(type), std::move(fallback), std::move(doc),
          [member, reader](const yaml_node& node, Spec& into, spec_reader& at) {
            if (auto value = std::invoke(reader, at, node))
              std::invoke(member, into) = static_cast<std::remove_cvref_t<decltype(std::invoke(member, into))>>(*value);
          }};
}

/// A mapping whose keys are properties of the same spec.
template <class Spec>
[[nodiscard]] property<Spec> section(std::string key, std::vector<property<Spec>> inside, std::string doc) {
  return {std::move(key),
          "mapping",
          "",
          std::move(doc),
          [inside](const yaml_node& node, Spec& into, spec_reader& at) { read_mapping(node, inside, into, at); },
          inside};
}

} // namespace penstock::runtime
