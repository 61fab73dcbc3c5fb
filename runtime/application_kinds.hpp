// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/application.hpp"
#include "runtime/spec_reader.hpp"

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace penstock::runtime {

/// A document of an application file as it was found.
struct read_document {
  std::string kind;
  std::string name;
  int line = 1;
  /// What the reader calls it: `Stream prices`.
  [[nodiscard]] std::string subject() const { return name.empty() ? kind + " without a name" : kind + " " + name; }
};

/// One `kind` of document: its keys, and how its `spec` becomes part of the application.
struct document_kind {
  std::string name;
  std::string doc;
  std::vector<reference_row> reference;
  std::function<void(const yaml_node& spec, const std::string& name, application_spec& into, spec_reader& reader)> read;
};

/// Every kind there is, in the order of the reference.
[[nodiscard]] const std::vector<document_kind>& document_kinds();

[[nodiscard]] document_kind application_kind();
[[nodiscard]] document_kind topic_kind();
[[nodiscard]] document_kind schema_kind();
[[nodiscard]] document_kind dataset_kind();
[[nodiscard]] document_kind training_kind();
[[nodiscard]] document_kind source_kind();
[[nodiscard]] document_kind stream_kind();

/// A kind whose documents become elements of one of the application's lists.
template <class Spec>
[[nodiscard]] document_kind kind_of(std::string name, std::string doc, std::vector<property<Spec>> properties,
                                    std::vector<Spec> application_spec::*list) {
  document_kind out{std::move(name), std::move(doc), {}, {}};
  describe(properties, "", out.reference);
  out.read = [properties = std::move(properties), list](const yaml_node& node, const std::string& own_name,
                                                        application_spec& into, spec_reader& reader) {
    Spec spec;
    spec.name = own_name;
    read_mapping(node, properties, spec, reader);
    (into.*list).push_back(std::move(spec));
  };
  return out;
}

/// Every kind and key with type, default and meaning, as Markdown: what pipelines/README.md shows.
[[nodiscard]] std::string application_reference();

/// The key `fields` of schemas and data sets: a list of {name, type, nullable, min, max, one_of}.
[[nodiscard]] std::vector<ml::field_spec> read_fields(const yaml_node& node, spec_reader& reader);
[[nodiscard]] std::vector<reference_row> field_reference();

/// Checks what no single document can see: references, expressions, names that occur twice; adds the dead-letter
/// topics.
void check_application(application_spec& spec, std::span<const read_document> documents, spec_reader& reader);

} // namespace penstock::runtime
