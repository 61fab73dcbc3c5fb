// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.hpp"
#include "ml/model_package.hpp"
#include "runtime/application.hpp"
#include "runtime/expression.hpp"
#include "storage/log.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace penstock::runtime {

/// A model as a stream uses it.
struct serving_model {
  std::string name;
  std::uint64_t version = 0;
  std::uint64_t generation = 0; ///< of the stream's assignment
  std::string digest;
  std::shared_ptr<const ml::model_package> package;
  std::uint64_t size = 0; ///< of the encoded package, bytes; 0 = not known
};

/// What the model answered, as expressions name it: a number, or in a stream with classes the class, its probability,
/// and as `probability_CLASS` that of any class. No field of an input schema may be called so.
inline constexpr const char* prediction_field = "prediction";
inline constexpr const char* probability_field = "probability";

/// What the first output expression may name: the fields of the input in order, then what the model answered (the
/// prediction, and with classes its probability and those of all classes in order). Each output field joins them for
/// the expressions below it; of equal names the last one is meant.
[[nodiscard]] std::vector<expression_input> expression_inputs(const ml::schema& input, const stream_spec& stream);

/// A run of records of one batch: indices [first, first + count).
struct record_range {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  bool operator==(const record_range&) const = default;
};

/// One prediction beside the truth, for the running metrics.
struct evaluation {
  double actual = 0;
  double predicted = 0;
};

/// The same of a stream with classes, by their numbers.
struct class_evaluation {
  std::uint32_t actual = 0;
  std::uint32_t predicted = 0;
  double probability = 0; ///< that the model gave to the actual class
};

/// What became of a range of records, ready to commit.
struct scored_range {
  std::vector<storage::output> outputs;            ///< to the output topic, at most one per partition
  storage::record_batch dead_letters;              ///< for the input's partition number of the dead-letter topic
  std::vector<evaluation> evaluations;             ///< in input order; only records with both values
  std::vector<class_evaluation> class_evaluations; ///< the same; only records whose values are both classes
  std::uint64_t scored = 0;                        ///< output records
  std::uint64_t nulls = 0;                         ///< outputs with a field that is null by division by zero
  duration decode{}, predict{}, encode{};          ///< CPU time of the stages, roughly
};

/// Turns input records into output records: decode by schema → model → expressions → encode. A record that breaks the
/// schema becomes a dead letter here; it is no failure. What a model or a library throws comes out as an exception: the
/// caller is the predictor, whose supervisor reacts.
///
/// Plain class; keeps scratch memory between calls; one thread at a time.
class scorer {
public:
  /// `errc::configuration` for an expression that does not compile. `output_partitions` of the output topic.
  [[nodiscard]] static result<std::unique_ptr<scorer>> make(const stream_spec& stream, const ml::schema& input,
                                                            std::int32_t output_partitions);
  ~scorer();

  /// @param from   topic and partition that the records come from, for the headers
  /// @param model  whose features must be fields of the input schema, and whose classes those of the stream in any
  ///               order, else `errc::configuration`
  /// @param max_output_bytes  an output record larger than this makes a dead letter of its input
  [[nodiscard]] result<scored_range> score(const storage::record_batch& records, record_range range,
                                           const storage::partition_id& from, const serving_model& model, wall_time now,
                                           std::size_t max_output_bytes);

private:
  struct content;
  explicit scorer(std::unique_ptr<content> c);
  std::unique_ptr<content> content_;
};

// -- dead letters --------------------------------------------------------------

/// Why a record was given up. Becomes the headers of its dead letter: `cause`, `attempts`, `model`, `version`, `input`
/// (`topic/partition/offset`), and where the value was cut `length` and `sha256`.
struct dead_letter_cause {
  std::string cause;
  std::uint32_t attempts = 1;
  std::string model;
  std::uint64_t version = 0;
};

/// What the headers of a dead letter add to its record, at most. A caller that leaves this much room beside key,
/// headers and value never makes a dead letter that the log refuses.
inline constexpr std::size_t dead_letter_headroom = 4096;

/// Adds a dead letter with the original key, headers and bytes, and the cause's headers behind the original ones (the
/// last of a name is meant); the value is cut at `max_value_bytes`, the cause at 1 KiB. Its timestamp is `now`.
void add_dead_letter(storage::record_batch& to, const storage::record_view& original, const storage::partition_id& from,
                     const dead_letter_cause& cause, wall_time now, std::size_t max_value_bytes);

} // namespace penstock::runtime
