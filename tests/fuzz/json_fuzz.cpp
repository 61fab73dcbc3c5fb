// SPDX-License-Identifier: Apache-2.0
#include "runtime/json_decoder.hpp"
#include "runtime/json_encoder.hpp"
#include "runtime/json_ordered_reader.hpp"

#include <algorithm>
#include <bit>
#include <cstdlib>

using namespace penstock;
using namespace penstock::runtime;

namespace {

const ml::schema& schema() {
  static const auto made = *ml::schema::make({{"a", ml::field_type::int64, false, {}, {}, {}},
                                              {"b", ml::field_type::float64, true, {}, 100, {}},
                                              {"c", ml::field_type::string, true, {}, {}, {}},
                                              {"d", ml::field_type::boolean, true, {}, {}, {}}});
  return made;
}

bool same(const cell& a, const cell& b) {
  if (a.what != b.what)
    return false;
  switch (a.what) {
  case cell::kind::float64:
    return std::bit_cast<std::uint64_t>(a.number) == std::bit_cast<std::uint64_t>(b.number);
  case cell::kind::string:
    return a.string() == b.string();
  case cell::kind::int64:
    return a.integer == b.integer;
  case cell::kind::boolean:
    return a.flag == b.flag;
  case cell::kind::null:
    break;
  }
  return true;
}

void must(bool holds) {
  if (!holds)
    std::abort();
}

} // namespace

/// Any bytes decode or are refused with a cause; what the short way reads, the long way reads the same; what is decoded
/// comes back the same after encoding.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static const json_ordered_reader ordered(schema());
  static const json_encoder encoder({"a", "b", "c", "d"});
  static json_decoder decoder(schema());
  decoder.forget();
  const std::string_view record(reinterpret_cast<const char*>(data), size);
  std::vector<cell> short_way(4), long_way(4), again(4);
  std::string cause;
  const bool taken = ordered.read(record, short_way);
  std::string padded(record);
  padded += ' '; // a blank at the end is what the short way does not know
  padded.append(json_decoder::padding, '7');
  const bool good = decoder.decode({padded.data(), size + 1}, long_way, cause);
  must(good || !cause.empty());
  must(!taken || (good && std::ranges::equal(short_way, long_way, same)));
  if (!good)
    return 0;
  std::string text;
  encoder.encode(long_way, text);
  const auto length = text.size();
  text.append(json_decoder::padding, '7');
  must(decoder.decode({text.data(), length}, again, cause) && std::ranges::equal(long_way, again, same));
  return 0;
}
