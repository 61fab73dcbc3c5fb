// SPDX-License-Identifier: Apache-2.0
#include "runtime/expression.hpp"

#include <cmath>
#include <cstdlib>
#include <limits>

using namespace penstock;
using namespace penstock::runtime;

/// Any text compiles to a program that keeps to its stack and never answers with what is not finite, or is refused.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static const std::vector<expression_input> inputs{{"a", ml::field_type::float64},
                                                    {"b", ml::field_type::int64},
                                                    {"none", ml::field_type::float64},
                                                    {"text", ml::field_type::string}};
  static const std::vector<cell> row{cell::of(0.1), cell::of(std::numeric_limits<std::int64_t>::min()), cell{},
                                     cell::of(std::string_view("x"))};
  const auto compiled = expression::compile({reinterpret_cast<const char*>(data), size}, inputs);
  if (!compiled)
    return 0;
  bool undefined = false;
  const auto value = compiled->evaluate(row, undefined);
  if ((value.what == cell::kind::float64 && !std::isfinite(value.number)) || (undefined && !value.is_null()))
    std::abort();
  return 0;
}
