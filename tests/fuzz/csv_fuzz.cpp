// SPDX-License-Identifier: Apache-2.0
// The first byte chooses the options, the rest is the text.
#include "ml/data_set.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace penstock::ml;
  if (size == 0) {
    return 0;
  }
  csv_options options;
  options.bad_rows = (data[0] & 1) != 0 ? on_error::skip : on_error::fail;
  options.delimiter = (data[0] & 2) != 0 ? ';' : ',';
  if ((data[0] & 4) != 0) {
    options.declared.emplace_back();
    options.declared.back().name = "a";
    options.declared.back().type = static_cast<field_type>(data[0] >> 6);
  }
  const auto found = read_csv({reinterpret_cast<const char*>(data) + 1, size - 1}, options);
  if (!found) {
    return 0;
  }
  for (const auto& column : found->data.columns()) {
    const bool strings = column.field.type == field_type::string;
    const auto cells = strings ? column.strings.size() : column.numbers.size();
    if (cells != found->data.rows() || (!column.missing.empty() && column.missing.size() != cells)) {
      std::abort();
    }
  }
  return 0;
}
