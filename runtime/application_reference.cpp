// SPDX-License-Identifier: Apache-2.0
#include "runtime/application_kinds.hpp"

namespace penstock::runtime {

namespace {

void append_rows(const std::vector<reference_row>& rows, std::string& out) {
  out += "| key | type | default | meaning |\n|---|---|---|---|\n";
  for (const auto& row : rows)
    out += fmt::format("| `{}` | {} | {} | {} |\n", row.key, row.type, row.fallback, row.doc);
}

} // namespace

std::string application_reference() {
  std::string out;
  for (const auto& kind : document_kinds()) {
    out += fmt::format("### {}\n\n{}\n\n", kind.name, kind.doc);
    append_rows(kind.reference, out);
    out += '\n';
  }
  out += "### A field of a Schema or a Dataset\n\n";
  append_rows(field_reference(), out);
  return out;
}

} // namespace penstock::runtime
