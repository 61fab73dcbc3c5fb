// SPDX-License-Identifier: Apache-2.0
#include "runtime/spec_reader_yaml.hpp"

#include "base/file.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <istream>
#include <map>
#include <streambuf>
#include <utility>

namespace penstock::runtime {

namespace {

using node_pointer = std::shared_ptr<const yaml_node>;

int line_of(const YAML::Mark& mark) {
  return mark.line + 1;
}

/// Ends the reading of a file whose rest cannot be trusted.
struct hopeless {
  int line;
  std::string text;
};

/// Replaces variables in one value after the other, under limits for each and for all of them.
class replacer {
public:
  replacer(const std::filesystem::path& folder, const variable_source& variables, std::vector<spec_problem>& problems,
           const yaml_limits& limits)
      : folder_(folder), variables_(variables), problems_(problems), limits_(limits) {}

  std::string replace(const std::string& text, int line) {
    std::string out;
    std::size_t at = 0;
    for (;;) {
      const auto dollar = text.find('$', at);
      out.append(text, at, dollar - at);
      if (dollar == std::string::npos)
        break;
      const char next = dollar + 1 < text.size() ? text[dollar + 1] : '\0';
      if (next == '$') {
        out += '$';
        at = dollar + 2;
      } else if (next == '{') {
        const auto close = text.find('}', dollar);
        if (close == std::string::npos) {
          problems_.push_back({line, "\"${\" without a closing \"}\"; write \"$$\" for a dollar sign"});
          return out;
        }
        out += value_of(text.substr(dollar + 2, close - dollar - 2), line);
        at = close + 1;
      } else {
        out += '$';
        at = dollar + 1;
      }
      if (out.size() > limits_.scalar_bytes)
        throw hopeless{line, fmt::format("a value is longer than {} bytes", limits_.scalar_bytes)};
    }
    total_ += out.size();
    if (out.size() > limits_.scalar_bytes || total_ > limits_.bytes)
      throw hopeless{line, fmt::format("the values are longer than {} bytes together", limits_.bytes)};
    return out;
  }

private:
  std::string value_of(const std::string& inside, int line) {
    const auto colon = inside.find(':');
    const auto name = inside.substr(0, colon);
    if (name == "file" && colon != std::string::npos)
      return content_of(inside.substr(colon + 1), line);
    const auto is_name_character = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    };
    if (name.empty() || !std::ranges::all_of(name, is_name_character)) {
      problems_.push_back({line, fmt::format("\"${{{}}}\" names no variable: write ${{NAME}}, ${{NAME:default}} or "
                                             "${{file:path}}, and \"$$\" for a dollar sign",
                                             inside.substr(0, 80))});
      return {};
    }
    if (auto value = variables_(name))
      return *std::move(value);
    if (colon != std::string::npos)
      return inside.substr(colon + 1);
    problems_.push_back({line, fmt::format("variable {} is not set and has no default; set it in the environment or "
                                           "write ${{{}:default}}",
                                           name, name)});
    return {};
  }

  std::string content_of(const std::string& path, int line) {
    if (path.empty() || path.find('\0') != std::string::npos) {
      problems_.push_back({line, "${file:} names no file: write ${file:path}"});
      return {};
    }
    auto content = read_file(folder_ / path, limits_.scalar_bytes);
    if (!content) {
      problems_.push_back({line, fmt::format("${{file:{}}}: {}", path, content.error().text())});
      return {};
    }
    // A text file ends in a line break that nobody means.
    if (content->ends_with('\n'))
      content->pop_back();
    if (content->ends_with('\r'))
      content->pop_back();
    return *std::move(content);
  }

  const std::filesystem::path& folder_;
  const variable_source& variables_;
  std::vector<spec_problem>& problems_;
  const yaml_limits& limits_;
  std::size_t total_ = 0;
};

/// Builds nodes out of the parser's events. Unlike yaml-cpp's own tree it sees keys that occur twice, and an alias
/// costs what it stands for.
class tree_builder : public YAML::EventHandler {
public:
  tree_builder(replacer& replacer, std::vector<spec_problem>& problems, const yaml_limits& limits)
      : replacer_(replacer), problems_(problems), limits_(limits) {}

  [[nodiscard]] std::vector<node_pointer> documents() && { return std::move(documents_); }

  void OnDocumentStart(const YAML::Mark&) override { anchors_.clear(); }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (key_expected())
      throw hopeless{line_of(mark), "a key is missing before \":\""};
    yaml_node node;
    node.line = line_of(mark);
    complete(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (key_expected())
      throw hopeless{line_of(mark), "a key must be plain text, not an alias"};
    if (found == anchors_.end())
      throw hopeless{line_of(mark), "an alias stands inside of what it names"};
    count(found->second->weight, line_of(mark));
    attach(found->second);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_tag(tag, mark);
    if (key_expected()) {
      open_.back().key = value;
      open_.back().key_line = line_of(mark);
      return;
    }
    yaml_node node;
    node.what = yaml_node::kind::scalar;
    node.line = line_of(mark);
    node.text = replacer_.replace(value, node.line);
    complete(std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    begin(yaml_node::kind::sequence, mark, tag, anchor);
  }
  void OnSequenceEnd() override { end(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    begin(yaml_node::kind::mapping, mark, tag, anchor);
  }
  void OnMapEnd() override { end(); }

private:
  struct open_node {
    yaml_node node;
    YAML::anchor_t anchor = 0;
    std::optional<std::string> key; ///< of a mapping, waiting for its value
    int key_line = 1;
    std::map<std::string, int> keys; ///< lines of the keys so far
  };

  [[nodiscard]] bool key_expected() const {
    return !open_.empty() && open_.back().node.what == yaml_node::kind::mapping && !open_.back().key;
  }

  void check_tag(const std::string& tag, const YAML::Mark& mark) {
    if (!tag.empty() && tag != "?" && tag != "!" && !tag.starts_with("tag:yaml.org,2002:"))
      problems_.push_back({line_of(mark), fmt::format("tag {} means nothing here; remove it", tag)});
  }

  void count(std::size_t values, int line) {
    values_ += values;
    if (values_ > limits_.values)
      throw hopeless{line, fmt::format("more than {} values (aliases count in full)", limits_.values)};
  }

  void begin(yaml_node::kind what, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    check_tag(tag, mark);
    if (key_expected())
      throw hopeless{line_of(mark), "a key must be plain text, not a list or a mapping"};
    if (static_cast<int>(open_.size()) >= limits_.depth)
      throw hopeless{line_of(mark), fmt::format("nested deeper than {} levels", limits_.depth)};
    open_node next;
    next.node.what = what;
    next.node.line = line_of(mark);
    next.anchor = anchor;
    open_.push_back(std::move(next));
  }

  void end() {
    auto done = std::move(open_.back());
    open_.pop_back();
    complete(std::move(done.node), done.anchor);
  }

  void complete(yaml_node node, YAML::anchor_t anchor) {
    count(1, node.line);
    auto shared = std::make_shared<const yaml_node>(std::move(node));
    if (anchor != 0)
      anchors_[anchor] = shared;
    attach(shared);
  }

  void attach(const node_pointer& value) {
    if (open_.empty()) {
      documents_.push_back(value);
      return;
    }
    auto& parent = open_.back();
    parent.node.weight += value->weight;
    if (parent.node.what == yaml_node::kind::sequence) {
      parent.node.items.push_back(value);
      return;
    }
    const auto key = *std::exchange(parent.key, std::nullopt);
    const auto [earlier, is_new] = parent.keys.emplace(key, parent.key_line);
    if (is_new)
      parent.node.entries.push_back({key, parent.key_line, value});
    else
      problems_.push_back({parent.key_line, fmt::format("key {} was already given on line {}", key, earlier->second)});
  }

  replacer& replacer_;
  std::vector<spec_problem>& problems_;
  const yaml_limits& limits_;
  std::vector<node_pointer> documents_;
  std::vector<open_node> open_;
  std::map<YAML::anchor_t, node_pointer> anchors_;
  std::size_t values_ = 0;
};

/// Lets the parser read from a string that is not copied.
class view_buffer : public std::streambuf {
public:
  explicit view_buffer(std::string_view text) {
    auto* begin = const_cast<char*>(text.data()); // a get area is never written to
    setg(begin, begin, begin + text.size());
  }
};

} // namespace

const yaml_node* yaml_node::find(std::string_view key) const {
  const auto found = std::ranges::find(entries, key, &entry::key);
  return found == entries.end() ? nullptr : found->value.get();
}

const char* name_of(yaml_node::kind what) {
  switch (what) {
  case yaml_node::kind::scalar:
    return "a value";
  case yaml_node::kind::sequence:
    return "a list";
  case yaml_node::kind::mapping:
    return "a mapping";
  case yaml_node::kind::null:
    break;
  }
  return "nothing";
}

std::vector<node_pointer> read_yaml(std::string_view text, const std::filesystem::path& folder,
                                    const variable_source& variables, std::vector<spec_problem>& problems,
                                    const yaml_limits& limits) {
  if (text.size() > limits.bytes) {
    problems.push_back({1, fmt::format("the file is larger than {} bytes", limits.bytes)});
    return {};
  }
  replacer values(folder, variables, problems, limits);
  tree_builder builder(values, problems, limits);
  try {
    view_buffer buffer(text);
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
    return std::move(builder).documents();
  } catch (const hopeless& why) {
    problems.push_back({why.line, why.text});
  } catch (const YAML::Exception& why) {
    problems.push_back({std::max(1, line_of(why.mark)), "not YAML: " + why.msg});
  } catch (const std::exception& why) {
    problems.push_back({1, std::string("not YAML: ") + why.what()});
  }
  return {};
}

} // namespace penstock::runtime
