// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/control_record.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace penstock::runtime {

/// Read models over the control topic: `apply(offset, command)` in order from the first record on; applying an offset
/// twice changes nothing. Every node that has read to the same offset holds the same tables. No I/O; belongs to one
/// actor.

/// Names, versions and aliases of models, and what each stream serves.
class registry_table {
public:
  struct version {
    std::uint64_t number = 0;
    std::string digest;
    std::string run;
    std::map<std::string, double> metrics;
    wall_time registered = 0;
  };
  struct model {
    std::string name;
    std::vector<version> versions; ///< ascending
    std::map<std::string, std::uint64_t> aliases;
  };
  struct serving {
    std::uint64_t generation = 0;
    std::string model;
    std::uint64_t version = 0;
  };

  /// A version that exists already keeps its digest; an alias of a version that does not exist and a generation that
  /// is not above the present one change nothing.
  void apply(std::int64_t offset, const control_record& command);

  [[nodiscard]] const std::map<std::string, model>& models() const { return models_; }
  [[nodiscard]] const model* find(const std::string& name) const;
  /// By `latest`, or by alias, or by a version number in decimal; the first of these that fits. None when there is no
  /// such model or version.
  [[nodiscard]] const version* find(const std::string& name, const std::string& alias) const;
  [[nodiscard]] std::optional<serving> serving_of(const std::string& stream) const;
  /// One more than the highest version of the name; 1 for a new one.
  [[nodiscard]] std::uint64_t next_version(const std::string& name) const;
  /// Offset of the last command applied, of whatever kind; −1 before the first.
  [[nodiscard]] std::int64_t applied() const { return applied_; }

private:
  void add_version(const model_registered& command);
  void set_alias(const alias_set& command);
  void activate(const generation_activated& command);

  std::map<std::string, model> models_;
  std::map<std::string, serving> serving_;
  std::int64_t applied_ = -1;
};

/// Trainings and how they went. A run that was interrupted stays `running`: whoever finds it without a trainer repeats
/// it.
class runs_table {
public:
  enum class state : std::uint8_t { running, completed, failed };
  struct run {
    std::string id;
    std::string training;
    std::string inputs;
    std::uint32_t attempt = 1;
    enum state state = state::running;
    std::string digest;
    std::string cause;
    std::map<std::string, double> metrics;
    wall_time started = 0;
    wall_time ended = 0;
  };

  /// A run that has completed stays so, whatever follows under its id.
  void apply(std::int64_t offset, const control_record& command);

  /// The completed run of a training for exactly these inputs: it need not be repeated. The
  /// last one if there are several; none if there is none.
  [[nodiscard]] const run* completed(const std::string& training, const std::string& inputs) const;
  [[nodiscard]] const std::map<std::string, run>& runs() const { return runs_; }

private:
  void start(const run_started& command);
  void complete(const run_completed& command);
  void fail(const run_failed& command);

  std::map<std::string, run> runs_;
  std::map<std::pair<std::string, std::string>, std::string> completed_; ///< training, inputs → run
  std::int64_t applied_ = -1;
};

/// The last events, newest last.
class events_table {
public:
  static constexpr std::size_t kept = 1000;
  void apply(std::int64_t offset, const control_record& command);
  [[nodiscard]] const std::deque<event_noted>& events() const { return events_; }

private:
  std::deque<event_noted> events_;
  std::int64_t applied_ = -1;
};

} // namespace penstock::runtime
