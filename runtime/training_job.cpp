// SPDX-License-Identifier: Apache-2.0
#include "runtime/training_job.hpp"

#include "base/bytes.hpp"
#include "base/fault_point.hpp"
#include "base/version.hpp"
#include "ml/metrics.hpp"
#include "ml/split.hpp"
#include "runtime/dataset_file.hpp"

#include <algorithm>
#include <charconv>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

namespace penstock::runtime {

namespace {

constexpr std::size_t golden_rows = 20;
constexpr int training_niceness = 10;

/// Training takes what scoring leaves over. On Linux priority belongs to the thread.
void lower_priority() {
  (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), training_niceness);
}

std::uint64_t seed_of(const ml::learner_spec& learner) {
  std::uint64_t seed = 0;
  if (const auto at = learner.parameters.find("random_state"); at != learner.parameters.end())
    std::from_chars(at->second.data(), at->second.data() + at->second.size(), seed);
  return seed;
}

std::string describe_split(const training_spec& training, const dataset_spec& dataset) {
  const auto holdout = fmt::format("holdout test_size={} seed={}", training.holdout_size, training.holdout_seed);
  if (!dataset.split)
    return "all rows; " + holdout;
  return fmt::format("{} of test_size={} seed={}; {}", dataset.split->test_part ? "test" : "train",
                     dataset.split->test_size, dataset.split->seed, holdout);
}

/// The chosen rows of a matrix of features, for scoring.
ml::row_matrix rows_of(const ml::column_matrix& features, const std::vector<std::uint32_t>& rows) {
  return features(rows, Eigen::all);
}

/// One training under way: a method per step, in order, each leaving what the next ones need.
class training_job {
public:
  using progress_function = std::function<void(const training_progress&)>;
  using store_function = std::function<status(const std::string&, const std::string&)>;

  training_job(const std::string& application, const training_spec& training, const dataset_spec& dataset,
               unsigned threads, const std::atomic<bool>& cancelled, const progress_function& progress)
      : application_(application), training_(training), dataset_(dataset), threads_(std::max(1U, threads)),
        cancelled_(cancelled), progress_(progress) {}

  result<training_outcome> run(const store_function& store) {
    using step = training_step;
    const auto steps = {
        std::pair(step::open, &training_job::open),   std::pair(step::read, &training_job::read),
        std::pair(step::check, &training_job::check), std::pair(step::split, &training_job::split),
        std::pair(step::train, &training_job::train), std::pair(step::evaluate, &training_job::evaluate),
    };
    for (const auto& [which, method] : steps)
      if (const auto done = perform(which, [&, m = method] { return (this->*m)(); }); !done)
        return done.error();
    if (const auto done = perform(step::save, [&] { return save(store); }); !done)
      return done.error();
    return std::move(outcome_);
  }

private:
  // -- frame of a step --------------------------------------------------------

  template <class Work>
  status perform(training_step step, Work work) {
    const auto place = fmt::format("Training {}, step {}/{} {}", training_.name, static_cast<int>(step), training_steps,
                                   name_of(step));
    step_ = step;
    report(0, {}, false);
    if (cancelled_)
      return error(errc::failed, "cancelled").in(place);
    result<std::string> text = work();
    if (!text)
      return text.error().in(place);
    report(1, *text, true);
    return {};
  }

  void report(double share, std::string text, bool done) const {
    if (progress_)
      progress_({step_, share, std::move(text), done});
  }
  std::function<void(double)> share_of_step() const {
    return [this](double share) { report(share, {}, false); };
  }

  // -- steps: the text that is shown, or why it failed ------------------------

  result<std::string> open();
  result<std::string> read();
  result<std::string> check();
  result<std::string> split();
  result<std::string> train();
  result<std::string> evaluate();
  result<std::string> save(const store_function& store);

  [[nodiscard]] result<ml::schema> input_schema() const;
  [[nodiscard]] struct ml::lineage lineage() const;

  const std::string& application_;
  const training_spec& training_;
  const dataset_spec& dataset_;
  unsigned threads_;
  const std::atomic<bool>& cancelled_;
  const progress_function& progress_;

  training_step step_ = training_step::open;
  dataset_bytes file_;
  ml::data_set data_; ///< all rows, then those of the data set's part
  std::unique_ptr<ml::learner> learner_;
  ml::column_matrix features_; ///< of the data set's part, n×d
  ml::vector target_;
  ml::split_indices parts_; ///< rows of `features_` to train and to hold out
  ml::model_package package_;
  training_outcome outcome_;
};

result<std::string> training_job::open() {
  auto loaded = load_dataset(dataset_);
  if (!loaded)
    return loaded.error();
  file_ = *std::move(loaded);
  return fmt::format("{}, {}", dataset_.path.filename().string(), format_size(file_.text.size()));
}

result<std::string> training_job::read() {
  auto parsed = parse_dataset(dataset_, file_.text, share_of_step());
  if (!parsed)
    return parsed.error();
  file_.text = {};
  data_ = std::move(parsed->data);
  outcome_.skipped_rows = parsed->skipped;
  auto text = fmt::format("{} rows, {} columns", format_count(data_.rows()), data_.columns().size());
  if (parsed->skipped > 0)
    text += fmt::format("; {} skipped, the first: {}", format_count(parsed->skipped), parsed->first_skip_reason);
  return text;
}

result<std::string> training_job::check() {
  auto made = ml::make_learner(training_.learner);
  if (!made)
    return made.error();
  learner_ = *std::move(made);
  package_.learner = training_.learner;

  if (const auto features = data_.features(training_.features); !features)
    return features.error().in("features");
  auto input = input_schema();
  if (!input)
    return input.error();
  package_.input = *std::move(input);
  ml::field_spec answer;
  answer.name = training_.predicts.empty() ? training_.target : training_.predicts;
  auto output = ml::schema::make({answer});
  if (!output)
    return output.error();
  package_.output = *std::move(output);

  if (training_.features.empty())
    return fail(errc::configuration, "no features; list the columns to learn from under `features`");
  if (std::ranges::find(training_.features, training_.target) != training_.features.end())
    return fail(errc::configuration, "the target {} is among the features: the model would be told the answer",
                training_.target);
  if (const auto target = data_.target(training_.target); !target)
    return target.error().in("target");
  return fmt::format("{} features, target {}", training_.features.size(), training_.target);
}

/// Features as the model will be asked for them: as declared; undeclared numbers are any number, because a type that
/// was inferred from one file promises nothing about later rows.
result<ml::schema> training_job::input_schema() const {
  std::vector<ml::field_spec> fields;
  for (const auto& name : training_.features) {
    const auto* column = data_.find(name);
    auto field = column->field;
    const bool declared = std::ranges::find(dataset_.fields, name, &ml::field_spec::name) != dataset_.fields.end();
    if (!declared && field.type == ml::field_type::int64)
      field.type = ml::field_type::float64;
    field.nullable = field.nullable || std::ranges::find(column->missing, true) != column->missing.end();
    fields.push_back(std::move(field));
  }
  return ml::schema::make(std::move(fields));
}

result<std::string> training_job::split() {
  auto chosen = choose_part(dataset_, std::move(data_));
  if (!chosen)
    return chosen.error();
  data_ = *std::move(chosen);
  auto features = data_.features(training_.features);
  auto target = data_.target(training_.target);
  if (!features || !target)
    return !features ? features.error() : target.error();
  features_ = *std::move(features);
  target_ = *std::move(target);

  parts_ =
      ml::train_test_split(static_cast<std::uint32_t>(data_.rows()), training_.holdout_size, training_.holdout_seed);
  if (parts_.train.empty() || parts_.test.empty())
    return fail(errc::invalid,
                "of {} rows {} are to train and {} to hold out; change holdout.test_size or give more data",
                data_.rows(), parts_.train.size(), parts_.test.size());
  data_ = {};
  return fmt::format("{} to train, {} to hold out", format_count(parts_.train.size()),
                     format_count(parts_.test.size()));
}

result<std::string> training_job::train() {
  if (fault("trainer.throw"))
    throw std::runtime_error("trainer.throw: fault injected into the train step");
  const ml::column_matrix features = features_(parts_.train, Eigen::all);
  const ml::vector target = target_(parts_.train);
  ml::training_control control;
  control.threads = threads_;
  control.cancelled = &cancelled_;
  control.progress = share_of_step();
  control.thread_started = lower_priority;
  auto trained = learner_->train({features, target}, control);
  if (!trained)
    return trained.error();
  package_.model = *std::move(trained);
  return fmt::format("{}, {}", training_.learner.type, format_size(package_.model->memory()));
}

result<std::string> training_job::evaluate() {
  const auto rows = rows_of(features_, parts_.test);
  const ml::vector actual = target_(parts_.test);
  const auto held_out = static_cast<std::size_t>(rows.rows());
  const auto width = static_cast<std::size_t>(rows.cols());
  std::vector<double> predicted(held_out);
  package_.model->predict({rows.data(), held_out * width}, predicted);

  const auto figures = ml::regression({actual.data(), held_out}, predicted);
  package_.metrics = {{"rmse", figures.rmse}, {"mae", figures.mae}, {"r2", figures.r2}};
  outcome_.metrics = package_.metrics;

  const auto kept = std::min(golden_rows, held_out);
  for (std::size_t i = 0; i < kept; ++i) {
    const auto row = i * held_out / kept;
    const auto* first = rows.data() + row * width;
    package_.golden.push_back({{first, first + width}, predicted[row]});
  }
  return fmt::format("RMSE {:.4f}  MAE {:.4f}  R² {:.4f}", figures.rmse, figures.mae, figures.r2);
}

struct ml::lineage training_job::lineage() const {
  struct ml::lineage from;
  from.data_digest = file_.digest;
  // The name only: the same file elsewhere must give the same package.
  from.data_path = dataset_.path.filename().string();
  from.split = describe_split(training_, dataset_);
  from.rows = parts_.train.size();
  from.seed = seed_of(training_.learner);
  from.training = application_ + "/" + training_.name;
  from.build = fmt::format("{} ({})", version(), build_id());
  return from;
}

result<std::string> training_job::save(const store_function& store) {
  package_.lineage = lineage();
  outcome_.package = package_.encode();
  outcome_.digest = sha256_hex(outcome_.package);
  if (const auto back = ml::decode_package(outcome_.package, outcome_.digest); !back)
    return back.error().in("the new package does not read back");
  if (const auto stored = store(outcome_.digest, outcome_.package); !stored)
    return stored.error();
  return fmt::format("{}, {}", outcome_.digest.substr(0, 12), format_size(outcome_.package.size()));
}

void add_field(byte_writer& to, const ml::field_spec& field) {
  to.string(field.name);
  to.number(static_cast<std::uint8_t>(field.type));
  to.number(static_cast<std::uint8_t>(field.nullable));
  for (const auto& bound : {field.min, field.max}) {
    to.number(static_cast<std::uint8_t>(bound.has_value()));
    to.number(bound.value_or(0));
  }
  to.number(static_cast<std::uint32_t>(field.one_of.size()));
  for (const auto& allowed : field.one_of)
    to.string(allowed);
}

} // namespace

const char* name_of(training_step step) {
  switch (step) {
  case training_step::open:
    return "open";
  case training_step::read:
    return "read";
  case training_step::check:
    return "check";
  case training_step::split:
    return "split";
  case training_step::train:
    return "train";
  case training_step::evaluate:
    return "evaluate";
  case training_step::save:
    return "save";
  }
  return "unknown";
}

std::string training_inputs(const training_spec& training, const dataset_spec& dataset,
                            const std::string& data_digest) {
  byte_writer all;
  all.string("penstock training inputs 2");
  all.string(data_digest);
  all.number(dataset.delimiter);
  all.number(static_cast<std::uint8_t>(dataset.bad_rows));
  all.number(static_cast<std::uint32_t>(dataset.fields.size()));
  for (const auto& field : dataset.fields)
    add_field(all, field);
  all.number(static_cast<std::uint8_t>(dataset.split.has_value()));
  const auto split = dataset.split.value_or(split_spec{});
  all.number(split.test_size);
  all.number(split.seed);
  all.number(static_cast<std::uint8_t>(split.test_part));

  all.number(static_cast<std::uint32_t>(training.features.size()));
  for (const auto& feature : training.features)
    all.string(feature);
  all.string(training.target);
  all.string(training.predicts);
  all.number(training.holdout_size);
  all.number(training.holdout_seed);
  all.string(training.learner.type);
  for (const auto& [name, value] : training.learner.parameters) {
    all.string(name);
    all.string(value);
  }
  return sha256_hex(all.bytes());
}

result<training_outcome>
run_training(const std::string& application, const training_spec& training, const dataset_spec& dataset,
             unsigned threads, const std::atomic<bool>& cancelled,
             const std::function<void(const training_progress&)>& progress,
             const std::function<status(const std::string& digest, const std::string& package)>& store) {
  return training_job(application, training, dataset, threads, cancelled, progress).run(store);
}

} // namespace penstock::runtime
