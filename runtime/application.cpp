// SPDX-License-Identifier: Apache-2.0
#include "runtime/application.hpp"

#include "base/file.hpp"
#include "runtime/application_kinds.hpp"

#include <algorithm>
#include <cstdlib>
#include <set>

namespace penstock::runtime {

namespace {

constexpr const char* api_version = "penstock/v1";
constexpr std::size_t most_reported = 50;

template <class List>
auto* find_in(const List& list, std::string_view name) {
  const auto found = std::ranges::find(list, name, &List::value_type::name);
  return found == list.end() ? nullptr : &*found;
}

/// What stands around every `spec`.
struct envelope {
  std::string api_version;
  std::string kind;
  std::string name;
};

const std::vector<property<envelope>>& envelope_properties() {
  static const std::vector<property<envelope>> properties{
      required(simple<envelope>("apiVersion", api_version, "", &envelope::api_version, &spec_reader::text,
                                "which is penstock/v1")),
      required(simple<envelope>("kind", "text", "", &envelope::kind, &spec_reader::text, "what the document declares")),
      required(section<envelope>("metadata",
                                 {required(simple<envelope>("name", "name", "", &envelope::name, &spec_reader::name,
                                                            "by which others refer to it"))},
                                 "which holds the name")),
      {"spec", "mapping", "", "what it declares", [](const yaml_node&, envelope&, spec_reader&) {}},
  };
  return properties;
}

const document_kind* find_kind(const yaml_node& node, const std::string& name, spec_reader& reader) {
  std::vector<std::string> known;
  for (const auto& kind : document_kinds()) {
    if (kind.name == name)
      return &kind;
    known.push_back(kind.name);
  }
  const auto near = suggestion(name, known);
  const auto* key = node.find("kind");
  reader.problem(key != nullptr ? *key : node,
                 fmt::format("unknown kind \"{}\"{}", name,
                             near.empty() ? fmt::format("; there are {}", fmt::join(known, ", ")) : near));
  return nullptr;
}

class application_reader {
public:
  application_reader(application_spec& spec, spec_reader& reader) : spec_(spec), reader_(reader) {}

  void read(const yaml_node& node) {
    reader_.subject(fmt::format("document {}", ++number_), node.line);
    if (node.what == yaml_node::kind::null)
      return; // nothing between two "---"
    if (!reader_.is(node, yaml_node::kind::mapping))
      return;
    envelope around;
    read_mapping(node, envelope_properties(), around, reader_);
    if (!around.api_version.empty() && around.api_version != api_version)
      reader_.problem(*node.find("apiVersion"),
                      fmt::format("apiVersion \"{}\" is not known; write {}", around.api_version, api_version));
    if (around.kind.empty())
      return;
    const auto* kind = find_kind(node, around.kind, reader_);
    if (kind == nullptr)
      return;
    const read_document document{kind->name, around.name, node.line};
    reader_.subject(document.subject(), node.line);
    const auto* declared = node.find("spec");
    kind->read(declared != nullptr ? *declared : nothing_at(node.line), around.name, spec_, reader_);
    note(document);
  }

  [[nodiscard]] const std::vector<read_document>& documents() const { return documents_; }

private:
  void note(const read_document& document) {
    if (!document.name.empty()) {
      const auto [earlier, is_new] = names_.emplace(document.subject(), document.line);
      if (!is_new)
        reader_.problem(document.line, fmt::format("{}: a {} of that name is already declared on line {}",
                                                   document.subject(), document.kind, earlier->second));
    }
    documents_.push_back(document);
  }

  const yaml_node& nothing_at(int line) {
    nothing_ = yaml_node{};
    nothing_.line = line;
    return nothing_;
  }

  application_spec& spec_;
  spec_reader& reader_;
  std::vector<read_document> documents_;
  std::map<std::string, int> names_;
  yaml_node nothing_;
  int number_ = 0;
};

error report(const std::filesystem::path& file, std::vector<spec_problem> problems) {
  std::ranges::stable_sort(problems, {}, &spec_problem::line);
  std::string text;
  for (std::size_t i = 0; i < std::min(problems.size(), most_reported); ++i)
    text += fmt::format("{}{}:{}: {}", i == 0 ? "" : "\n", file.string(), problems[i].line, problems[i].text);
  if (problems.size() > most_reported)
    text += fmt::format("\n… and {} more", problems.size() - most_reported);
  return {errc::configuration, std::move(text)};
}

} // namespace

const ml::schema* application_spec::find_schema(std::string_view wanted) const {
  const auto* found = find_in(schemas, wanted);
  return found == nullptr ? nullptr : &found->schema;
}

const dataset_spec* application_spec::find_dataset(std::string_view wanted) const {
  return find_in(datasets, wanted);
}

const storage::topic_spec* application_spec::find_topic(std::string_view wanted) const {
  return find_in(topics, wanted);
}

const stream_spec* application_spec::find_stream(std::string_view wanted) const {
  return find_in(streams, wanted);
}

variable_lookup environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

const std::vector<document_kind>& document_kinds() {
  static const std::vector<document_kind> kinds{application_kind(), topic_kind(),  schema_kind(), dataset_kind(),
                                                training_kind(),    source_kind(), stream_kind()};
  return kinds;
}

result<application_spec> load_application(const std::filesystem::path& file, const variable_lookup& variables) {
  auto text = read_file(file, yaml_limits{}.bytes);
  if (!text)
    return text.error();
  return parse_application(*text, file, variables);
}

result<application_spec> parse_application(std::string_view yaml, const std::filesystem::path& file,
                                           const variable_lookup& variables) {
  application_spec spec;
  spec.file = std::filesystem::absolute(file).lexically_normal();
  const auto folder = spec.file.parent_path();
  spec_reader reader(folder);
  const auto documents = read_yaml(yaml, folder, variables, reader.problems());
  if (documents.empty() && !reader.problems().empty())
    return report(file, reader.problems());
  application_reader application(spec, reader);
  for (const auto& document : documents)
    application.read(*document);
  check_application(spec, application.documents(), reader);
  if (!reader.problems().empty())
    return report(file, reader.problems());
  return spec;
}

} // namespace penstock::runtime
