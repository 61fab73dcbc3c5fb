// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace penstock::runtime {

/// Something that happened to a training and that its `webhook` is told.
struct training_event {
  enum class kind : std::uint8_t { started, completed, failed };
  kind what = kind::started;
  std::string training; ///< `application/name`
  std::string run;
  std::uint32_t attempt = 1;
  wall_time at = 0;
  std::string cause;                     ///< of a failure
  std::string digest;                    ///< of the model package, when completed
  std::map<std::string, double> metrics; ///< when completed
};

/// Stable name of an event: `training.started`, `training.completed`, `training.failed`.
[[nodiscard]] const char* name_of(enum training_event::kind what);

/// The body that is posted: one JSON object `{event, training, run, attempt, at, cause?, digest?, metrics?}`, `at` as
/// RFC 3339 text. `cause` only of a failure, `digest` and `metrics` only when completed. Bytes that are no UTF-8 become
/// U+FFFD, a metric that is not finite becomes null.
[[nodiscard]] std::string webhook_body(const training_event& event);

} // namespace penstock::runtime
