// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "base/units.hpp"
#include "ml/data_set.hpp"
#include "ml/learner.hpp"
#include "ml/schema.hpp"
#include "storage/log.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace penstock::runtime {

// What an application file declares, checked and with every default filled in. One struct per `kind`.

/// Which rows of a file: all, or one part of scikit-learn's train_test_split.
struct split_spec {
  double test_size = 0.2;
  std::uint32_t seed = 0;
  bool test_part = false; ///< the test part, otherwise the training part
  std::string stratify{}; ///< column whose values both parts hold in equal shares; empty = none
};

struct dataset_spec {
  std::string name;
  std::filesystem::path path;         ///< absolute
  std::vector<ml::field_spec> fields; ///< declared types; others are inferred
  ml::on_error bad_rows = ml::on_error::fail;
  char delimiter = ',';
  std::optional<split_spec> split;
};

struct training_spec {
  std::string name;
  std::string dataset;
  std::vector<std::string> features;
  std::string target;
  std::string predicts; ///< name of the output field, default: the target
  double holdout_size = 0.2;
  std::uint32_t holdout_seed = 42;
  std::string holdout_stratify; ///< column, as in `split_spec`
  std::string weight;           ///< column with the weights of rows; empty = all count the same
  std::uint64_t memory = 0;     ///< bytes that the train step may allocate beside the data; 0 = no limit
  ml::learner_spec learner;
  std::string model; ///< name in the registry
  std::uint32_t retries = 0;
  duration retry_delay = std::chrono::seconds{10};
  std::string webhook; ///< URL that start, completion and failure are posted to; empty = none
};

struct source_spec {
  std::string name;
  std::string dataset;
  std::string topic;
  std::string key;                                         ///< field of the record
  std::vector<std::pair<std::string, std::string>> record; ///< field → column, or `$index`
  duration interval = std::chrono::seconds{2};             ///< between records; zero = as fast as it goes
  std::optional<std::uint64_t> limit;
  std::uint64_t repeat = 1; ///< how often the data set is replayed; the row number goes on
};

enum class start_from : std::uint8_t { earliest, latest, offset, time };
enum class on_gap : std::uint8_t { fail, skip };

struct stream_spec {
  std::string name;
  std::string input_topic;
  std::string schema; ///< of the input
  start_from from = start_from::earliest;
  std::int64_t from_value = 0; ///< offset, or wall time in milliseconds
  enum on_gap on_gap = on_gap::fail;
  std::string model; ///< name in the registry
  std::string alias = "champion";
  /// Of a stream whose model classifies: the texts of its classes, integers ascending, false before true, or strings by
  /// their bytes; empty = the model predicts a number.
  std::vector<std::string> classes;
  /// What `prediction` is: float64, or with classes int64 when all are integers, boolean when they are true and false,
  /// else string.
  ml::field_type prediction = ml::field_type::float64;
  std::string output_topic;
  std::string output_key;                                         ///< output field; empty = the input's key
  std::vector<std::pair<std::string, std::string>> output_fields; ///< name → expression, in order
  std::string dead_letters;                                       ///< topic, default `<stream>.dead-letters`
  std::string evaluate_actual;                                    ///< output or input field; empty = no running metrics
  std::string evaluate_predicted;
  std::uint32_t shards = 1;
  duration commit_interval = std::chrono::milliseconds{100};
  std::uint32_t commit_records = 10'000;
  duration watchdog = std::chrono::seconds{10}; ///< a batch that takes longer is stuck
};

/// When `run` ends by itself; whichever comes first.
struct stop_spec {
  std::optional<std::uint64_t> records; ///< outputs and dead letters of all streams
  std::optional<duration> idle;         ///< nothing processed for so long
  std::optional<duration> time;
};

struct named_schema {
  std::string name;
  ml::schema schema;
};

struct connect_spec {
  std::uint32_t attempts = 10;
  duration delay = std::chrono::seconds{5};
};

struct application_spec {
  std::string name;
  std::filesystem::path file;    ///< absolute
  std::string bootstrap_servers; ///< empty = embedded log
  connect_spec connect;
  std::string models; ///< directory of the model store; empty = in the node's data directory
  stop_spec stop_when;
  std::vector<storage::topic_spec> topics; ///< declared ones, and the dead-letter topics
  std::vector<named_schema> schemas;
  std::vector<dataset_spec> datasets;
  std::vector<training_spec> trainings;
  std::vector<source_spec> sources;
  std::vector<stream_spec> streams;

  [[nodiscard]] const ml::schema* find_schema(std::string_view name) const;
  [[nodiscard]] const dataset_spec* find_dataset(std::string_view name) const;
  [[nodiscard]] const storage::topic_spec* find_topic(std::string_view name) const;
  [[nodiscard]] const stream_spec* find_stream(std::string_view name) const;
};

/// Looks a variable up, as `getenv` does.
using variable_lookup = std::function<std::optional<std::string>(const std::string&)>;
[[nodiscard]] variable_lookup environment();

/// Reads and checks an application: YAML of several documents, `${VAR}`, `${VAR:default}`, `${file:path}` replaced in
/// scalars.
///
/// All mistakes are collected and reported at once (`errc::configuration`), one per line as `file:line: what, and what
/// to do`: unknown key or kind (with the nearest known one), wrong unit, missing name, reference to something not
/// declared, an expression that does not parse, an output key that is no output field, a feature that is not in the
/// stream's schema. `errc::not_found` / `permission` when the file itself cannot be read.
[[nodiscard]] result<application_spec> load_application(const std::filesystem::path& file,
                                                        const variable_lookup& variables);

/// The same from memory; `file` is only for messages and relative paths.
[[nodiscard]] result<application_spec> parse_application(std::string_view yaml, const std::filesystem::path& file,
                                                         const variable_lookup& variables);

} // namespace penstock::runtime
