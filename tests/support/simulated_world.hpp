// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.hpp"
#include "runtime/shard_task.hpp"
#include "runtime/source_task.hpp"
#include "tests/support/simulated_log.hpp"
#include "tests/support/simulated_session_line.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace penstock::test {

/// What becomes of a row that a source produced, by its number and the seed.
enum class row_kind : std::uint8_t {
  good,
  bad,    ///< breaks the schema: the scorer makes a dead letter of it
  poison, ///< the predictor throws whenever it is in the range
  crash,  ///< the process dies when it is scored
};

/// Everything about a schedule that is drawn from its seed before it begins.
struct world_settings {
  explicit world_settings(std::uint64_t seed);

  std::uint64_t seed;
  simulated_log_options log;
  simulated_faults faults;
  std::int32_t partitions = 1;
  std::int32_t output_partitions = 1;
  std::uint32_t shards = 1;
  std::uint64_t rows = 0;
  std::uint64_t faulty_steps = 0; ///< afterwards nothing goes wrong any more
  runtime::shard_settings shard;
  duration source_interval{};
  bool retention = false; ///< records may be removed before they are read
  double poison = 0, bad = 0, crash = 0;
  double node_dies = 0, host_dies = 0, moves = 0, pauses = 0, new_model = 0; ///< per step
  double predictor_sick = 0, predictor_hiccup = 0;                           ///< per scoring
  double repeated_answer = 0;
};

/// The outside world of one schedule, shared by the hosts: log, time, randomness, who owns what, the stream's
/// generation, what every commit was to bring.
struct simulated_world {
  explicit simulated_world(const world_settings& s);

  [[nodiscard]] bool chance(double probability);
  [[nodiscard]] std::uint64_t below(std::uint64_t limit) { return random() % limit; }
  [[nodiscard]] row_kind kind_of(std::uint64_t row) const;
  [[nodiscard]] storage::partition_id input(std::int32_t partition) const { return {"in", partition}; }
  void violate(const std::string& what);

  world_settings settings;
  std::mt19937_64 random;
  simulated_log log;
  commit_ledger ledger;
  time_point now{};
  bool faulty = true;
  std::uint64_t generation = 1;                                    ///< of the stream, as the control topic has it
  std::map<std::string, std::uint64_t> owners;                     ///< node of each shard and source
  std::map<std::uint64_t, std::vector<runtime::suspect>> suspects; ///< of each node, from its last death
  std::optional<std::string> violation;                            ///< the first one
};

/// The deterministic model: what generation `g` predicts for a row.
[[nodiscard]] double predicted_for(std::uint64_t row, std::uint64_t generation);
[[nodiscard]] double actual_of(std::uint64_t row);

/// What a record of the input says: `row:17`.
[[nodiscard]] std::uint64_t row_of(std::string_view value);

/// The records of rows [first, first + count), in the form of `runtime::source_encoder`.
[[nodiscard]] std::vector<storage::output> encode_rows(const simulated_world& world, std::uint64_t first,
                                                       std::uint64_t count);

/// An output's value says which input it came from, and with which generation and number it was scored.
struct output_text {
  storage::partition_id from;
  std::int64_t offset = 0;
  std::uint64_t row = 0;
  std::uint64_t generation = 0;
  double predicted = 0;
  [[nodiscard]] std::string encode() const;
  [[nodiscard]] static std::optional<output_text> decode(std::string_view text);
};

/// Name under which a shard's or the source's owner is kept.
[[nodiscard]] std::string shard_name(std::uint32_t shard);
inline constexpr const char* source_name = "rows";
inline constexpr const char* group_name = "cluster.application.stream";
inline constexpr const char* source_group = "cluster.application.rows";

/// An actor with a task, the threads that it uses, and the mailbox of answers, which may come in any order.
class simulated_host {
public:
  simulated_host(simulated_world& world, std::string name, std::uint64_t node)
      : world_(world), name_(std::move(name)), node_(node), line_(world.log, world.ledger) {}
  virtual ~simulated_host() = default;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::uint64_t node() const { return node_; }

  virtual void start() = 0;
  virtual void stop() = 0;
  /// How many different things could happen now.
  [[nodiscard]] virtual std::size_t possible() = 0;
  /// Lets one of them happen.
  virtual void step(std::size_t which) = 0;
  /// The process died.
  virtual void crash() { line_.crash(); }
  /// The task came to its end; what it failed with, if it did.
  [[nodiscard]] virtual bool ended() const = 0;
  [[nodiscard]] virtual std::optional<error> failure() const = 0;
  /// Where it stands, for the message of a violation.
  [[nodiscard]] virtual std::string state() const = 0;
  /// A suspended stream waits for somebody to resume it.
  [[nodiscard]] virtual bool suspended() const { return false; }
  /// A record brought the process down: the node must die.
  [[nodiscard]] virtual bool brought_down() const { return false; }
  /// Records that its predictors have in work, as the crash journal would say.
  [[nodiscard]] virtual std::vector<runtime::suspect> in_work() const { return {}; }
  virtual void model_changed() {}
  [[nodiscard]] std::optional<time_point> wake() const { return wake_; }

  time_point paused_until{};

protected:
  void wake_at(time_point at) { wake_ = wake_ ? std::min(*wake_, at) : at; }
  [[nodiscard]] bool wake_is_due() const { return wake_ && world_.now >= *wake_; }

  simulated_world& world_;
  std::string name_;
  std::uint64_t node_;
  session_line line_;
  std::optional<time_point> wake_;
};

[[nodiscard]] std::unique_ptr<simulated_host> make_shard_host(simulated_world& world, std::uint32_t shard,
                                                              std::uint64_t node);
[[nodiscard]] std::unique_ptr<simulated_host> make_source_host(simulated_world& world, std::uint64_t node);

/// Settings of a shard as its node would fill them in.
[[nodiscard]] runtime::shard_settings settings_of(const simulated_world& world, std::uint32_t shard);

} // namespace penstock::test
