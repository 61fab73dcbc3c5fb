// SPDX-License-Identifier: Apache-2.0
#include "tests/support/simulated_world.hpp"

#include "base/bytes.hpp"

#include <charconv>

namespace penstock::test {

namespace {

/// SplitMix64 (Steele, Lea, Flood 2014): an even hash of a number.
std::uint64_t mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

} // namespace

world_settings::world_settings(std::uint64_t of) : seed(of) {
  std::mt19937_64 random(mix(of));
  const auto below = [&](std::uint64_t limit) { return random() % limit; };
  /// Zero in one schedule of three, so that each fault is also met alone.
  const auto rate = [&](double most) { return below(3) == 0 ? 0 : most * static_cast<double>(below(1000)) / 1000; };
  log.seed = random();
  log.markers = below(2) == 0;
  log.transaction_timeout = std::chrono::milliseconds(100 + below(2000));
  faults = {rate(0.1), rate(0.05), rate(0.1), rate(0.1), rate(0.1), rate(0.2), 0};
  partitions = static_cast<std::int32_t>(1 + below(4));
  output_partitions = static_cast<std::int32_t>(1 + below(3));
  shards = static_cast<std::uint32_t>(1 + below(static_cast<std::uint64_t>(std::min(partitions, 2))));
  rows = 10 + below(60);
  faulty_steps = 100 + below(600);
  shard.max_batch_records = static_cast<std::uint32_t>(1 + below(8));
  shard.stream.commit_records = static_cast<std::uint32_t>(1 + below(20));
  shard.stream.commit_interval = std::chrono::milliseconds(below(100));
  shard.credits = static_cast<std::uint32_t>(below(2) == 0 ? 0 : 1 + below(30));
  shard.min_commit_gap = std::chrono::milliseconds(below(10));
  shard.retry_backoff = std::chrono::milliseconds(1 + below(50));
  shard.verdicts_per_minute = below(4) == 0 ? 1 : 1000;
  shard.unavailable_is_final = false;
  shard.open_attempts = 1000;
  source_interval = std::chrono::milliseconds(below(2) == 0 ? 0 : below(10));
  retention = below(8) == 0;
  poison = rate(0.1);
  bad = rate(0.1);
  crash = below(2) == 0 ? 0 : rate(0.1);
  node_dies = rate(0.01);
  host_dies = rate(0.01);
  moves = rate(0.01);
  pauses = rate(0.02);
  new_model = rate(0.01);
  predictor_sick = rate(0.05);
  predictor_hiccup = rate(0.2);
  repeated_answer = rate(0.1);
}

simulated_world::simulated_world(const world_settings& s) : settings(s), random(mix(s.seed + 1)), log(s.log) {
  log.set_faults(s.faults);
  now += std::chrono::hours(1);
  for (const auto& [name, partitions] : {std::pair<std::string, std::int32_t>{"in", s.partitions},
                                         {"out", s.output_partitions},
                                         {"dead", s.partitions}}) {
    storage::topic_spec spec;
    spec.name = name;
    spec.partitions = partitions;
    if (!log.create_topic(spec))
      violate("a topic cannot be made");
  }
}

bool simulated_world::chance(double probability) {
  return probability > 0 && std::uniform_real_distribution<double>{}(random) < probability;
}

row_kind simulated_world::kind_of(std::uint64_t row) const {
  const auto draw = static_cast<double>(mix(settings.seed * 1000 + row) % 100'000) / 100'000;
  if (draw < settings.poison)
    return row_kind::poison;
  if (draw < settings.poison + settings.bad)
    return row_kind::bad;
  if (draw < settings.poison + settings.bad + settings.crash)
    return row_kind::crash;
  return row_kind::good;
}

void simulated_world::violate(const std::string& what) {
  if (!violation)
    violation = what;
}

double predicted_for(std::uint64_t row, std::uint64_t generation) {
  return static_cast<double>(mix(row * 31 + generation) % 1'000'003) / 997;
}

double actual_of(std::uint64_t row) {
  return static_cast<double>(mix(row) % 1'000'003) / 991;
}

std::uint64_t row_of(std::string_view value) {
  std::uint64_t row = 0;
  value.remove_prefix(std::min(value.size(), value.find(':') + 1));
  std::from_chars(value.data(), value.data() + value.size(), row);
  return row;
}

std::vector<storage::output> encode_rows(const simulated_world& world, std::uint64_t first, std::uint64_t count) {
  std::vector<storage::output> out;
  for (std::int32_t i = 0; i < world.settings.partitions; ++i)
    out.push_back({world.input(i), {}});
  for (auto row = first; row < first + count; ++row) {
    const auto key = "k" + std::to_string(row % 7);
    auto& to = out[static_cast<std::size_t>(storage::partition_of(key, world.settings.partitions))];
    to.records.add(key, "row:" + std::to_string(row), {}, static_cast<wall_time>(row));
  }
  std::erase_if(out, [](const storage::output& one) { return one.records.empty(); });
  return out;
}

std::string output_text::encode() const {
  byte_writer out;
  out.string(from.topic);
  out.number(from.partition);
  out.number(offset);
  out.number(row);
  out.number(generation);
  out.number(predicted);
  return std::move(out).bytes();
}

std::optional<output_text> output_text::decode(std::string_view text) {
  byte_reader in(text);
  output_text out;
  out.from.topic = in.string();
  out.from.partition = in.number<std::int32_t>();
  out.offset = in.number<std::int64_t>();
  out.row = in.number<std::uint64_t>();
  out.generation = in.number<std::uint64_t>();
  out.predicted = in.number<double>();
  return in.ok() && in.at_end() ? std::optional(out) : std::nullopt;
}

std::string shard_name(std::uint32_t shard) {
  return "shard-" + std::to_string(shard);
}

runtime::shard_settings settings_of(const simulated_world& world, std::uint32_t shard) {
  auto out = world.settings.shard;
  out.application = "application";
  out.shard = shard;
  out.stream.name = "stream";
  out.stream.input_topic = "in";
  out.stream.output_topic = "out";
  out.stream.dead_letters = "dead";
  // From an offset: what is gone then is counted, from the earliest it would be none of its business.
  out.stream.from = runtime::start_from::offset;
  out.stream.on_gap = world.settings.retention ? runtime::on_gap::skip : runtime::on_gap::fail;
  out.max_record_bytes = world.log.max_record_bytes();
  out.session.id = std::string(group_name) + "." + shard_name(shard);
  out.session.group = group_name;
  for (auto i = static_cast<std::int32_t>(shard); i < world.settings.partitions;
       i += static_cast<std::int32_t>(world.settings.shards))
    out.session.inputs.push_back(world.input(i));
  out.session.states = out.session.inputs;
  out.first_offsets.assign(out.session.inputs.size(), 0);
  return out;
}

} // namespace penstock::test
