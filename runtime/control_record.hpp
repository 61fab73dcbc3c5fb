// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>

namespace penstock::runtime {

// Commands of the control topic: the one place where runs, models and deployments are recorded. JSON objects with
// `type` and `version`, so that any client can read them. Tables are folds over these.

/// A training began. `inputs` names what goes in: SHA-256 over data digest, split, features, learner, parameters.
struct run_started {
  std::string run;      ///< unique id
  std::string training; ///< `application/name`
  std::string inputs;
  std::uint32_t attempt = 1;
  wall_time at = 0;
};
struct run_completed {
  std::string run;
  std::string training;
  std::string inputs;
  std::string digest; ///< of the model package
  std::map<std::string, double> metrics;
  wall_time at = 0;
};
struct run_failed {
  std::string run;
  std::string training;
  std::uint32_t attempt = 1;
  bool final = false; ///< no further retry
  std::string cause;
  wall_time at = 0;
};
/// A package got the next version of a name.
struct model_registered {
  std::string name;
  std::uint64_t version = 0;
  std::string digest;
  std::string run;
  std::map<std::string, double> metrics;
  wall_time at = 0;
};
struct alias_set {
  std::string name;
  std::string alias;
  std::uint64_t version = 0;
  wall_time at = 0;
};
/// From now on a stream scores with this version.
struct generation_activated {
  std::string stream; ///< `application/stream`
  std::uint64_t generation = 0;
  std::string model;
  std::uint64_t version = 0;
  wall_time at = 0;
};
/// An event for people and webhooks: `training.started`, `actor.restarted`, `record.condemned` …
struct event_noted {
  std::string event;
  std::string subject; ///< actor, training, stream
  std::string text;
  wall_time at = 0;
};

using control_record = std::variant<run_started, run_completed, run_failed, model_registered, alias_set,
                                    generation_activated, event_noted>;

/// Version of every command's JSON form that this build writes, and the newest that it reads.
inline constexpr int control_version = 1;
/// Longest JSON text that is decoded, bytes.
inline constexpr std::size_t max_control_bytes = std::size_t{1} << 20;
/// Free text (causes, events) beyond this many bytes is cut, so that every command fits into a record.
inline constexpr std::size_t max_control_text = std::size_t{16} << 10;

/// One line of JSON, `type` and `version` first: `{"type":"alias_set","version":1,"name":…}`. Where a member is called
/// `version` itself it is written as `model_version`. Bytes that are no UTF-8 become U+FFFD; a metric that is not
/// finite becomes null.
[[nodiscard]] std::string encode(const control_record& record);
/// The inverse of `encode`, for untrusted bytes: bounded in length and depth. Members it does not know are ignored, so
/// that a later Penstock may add some under the same version.
/// `errc::invalid` for damage; `errc::configuration` for a type or version of a newer Penstock.
[[nodiscard]] result<control_record> decode_control(std::string_view json);

} // namespace penstock::runtime
