// SPDX-License-Identifier: Apache-2.0
#include "runtime/shard_state.hpp"

#include "base/bytes.hpp"

#include <algorithm>

namespace penstock::runtime {

namespace {

constexpr std::uint32_t magic = 0x54535350; // "PSST"
constexpr std::uint16_t version = 1;

} // namespace

std::string shard_state::encode() const {
  byte_writer body;
  body.string(metrics.encode());
  body.number(generation);
  body.number(generation_from);
  body.number(next);
  body.number(skipped);
  const auto kept = std::min(verdicts.size(), kept_verdicts);
  body.number(static_cast<std::uint32_t>(kept));
  for (auto i = verdicts.size() - kept; i < verdicts.size(); ++i)
    body.number(verdicts[i]);
  byte_writer out;
  out.number(magic);
  out.number(version);
  out.string(body.bytes());
  return std::move(out).bytes();
}

result<shard_state> shard_state::decode(std::string_view bytes) {
  byte_reader in(bytes);
  if (in.number<std::uint32_t>() != magic)
    return fail(errc::invalid, "a shard's state does not begin as one");
  const auto found = in.number<std::uint16_t>();
  if (in.ok() && found > version)
    return fail(errc::configuration, "a shard's state has version {}, this Penstock reads up to {}: use a newer one",
                found, version);
  byte_reader body(in.string());
  auto metrics = running_metrics::decode(body.string());
  if (!metrics)
    return metrics.error().in("a shard's state");
  shard_state out;
  out.metrics = *metrics;
  out.generation = body.number<std::uint64_t>();
  out.generation_from = body.number<std::int64_t>();
  out.next = body.number<std::int64_t>();
  out.skipped = body.number<std::uint64_t>();
  const auto kept = body.number<std::uint32_t>();
  if (kept > kept_verdicts)
    return fail(errc::invalid, "a shard's state holds {} verdicts, which cannot be", kept);
  for (std::uint32_t i = 0; i < kept; ++i)
    out.verdicts.push_back(body.number<wall_time>());
  if (found == 0 || !in.ok() || !body.ok() || !in.at_end() || !body.at_end())
    return fail(errc::invalid, "a shard's state of {} bytes is damaged", bytes.size());
  return out;
}

} // namespace penstock::runtime
