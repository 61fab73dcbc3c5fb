// SPDX-License-Identifier: Apache-2.0
#include "runtime/training_job.hpp"

#include "base/bytes.hpp"
#include "base/fault_point.hpp"
#include "base/version.hpp"
#include "ml/metrics.hpp"
#include "ml/split.hpp"
#include "runtime/dataset_file.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
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
  const auto rows_of = [](double size, std::uint32_t seed, const std::string& stratify) {
    return fmt::format("test_size={} seed={}{}", size, seed, stratify.empty() ? "" : " stratify=" + stratify);
  };
  const auto holdout = "holdout " + rows_of(training.holdout_size, training.holdout_seed, training.holdout_stratify);
  if (!dataset.split)
    return "all rows; " + holdout;
  const auto& split = *dataset.split;
  return fmt::format("{} of {}; {}", split.test_part ? "test" : "train",
                     rows_of(split.test_size, split.seed, split.stratify), holdout);
}

/// What the answer for each of some rows should be.
struct known_rows {
  ml::vector target;                       ///< numbers, or numbers of classes
  std::vector<std::uint32_t> classes_of{}; ///< the same as integers, of a classification
};

template <class T>
std::vector<T> chosen(const std::vector<T>& from, const std::vector<std::uint32_t>& places) {
  std::vector<T> out;
  out.reserve(places.size());
  for (const auto place : places)
    out.push_back(from[place]);
  return out;
}

/// The figures that a line has room for, the others are in the package.
std::string headline(const std::map<std::string, double>& metrics) {
  static constexpr std::array<std::pair<const char*, const char*>, 10> shown{{{"rmse", "RMSE"},
                                                                              {"mae", "MAE"},
                                                                              {"r2", "R²"},
                                                                              {"accuracy", "accuracy"},
                                                                              {"f1", "F1"},
                                                                              {"f1_macro", "macro F1"},
                                                                              {"roc_auc", "AUC"},
                                                                              {"roc_auc_ovr", "AUC"},
                                                                              {"oob_r2", "out-of-bag R²"},
                                                                              {"oob_accuracy", "out-of-bag accuracy"}}};
  std::string out;
  for (const auto& [name, label] : shown)
    if (const auto found = metrics.find(name);
        found != metrics.end() && !(found->first == "f1_macro" && metrics.contains("f1")))
      out += fmt::format("{}{} {:.4f}", out.empty() ? "" : "  ", label, found->second);
  return out;
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
  [[nodiscard]] result<ml::schema> output_schema() const;
  [[nodiscard]] status learn_targets(const std::vector<std::uint32_t>& part, const ml::split_indices& split);
  [[nodiscard]] status take_features(const std::vector<std::uint32_t>& train, const std::vector<std::uint32_t>& test);
  [[nodiscard]] struct ml::lineage lineage() const;

  const std::string& application_;
  const training_spec& training_;
  const dataset_spec& dataset_;
  unsigned threads_;
  const std::atomic<bool>& cancelled_;
  const progress_function& progress_;

  training_step step_ = training_step::open;
  dataset_bytes file_;
  ml::data_set data_; ///< all rows of the file; columns leave it as soon as nothing needs them
  std::unique_ptr<ml::learner> learner_;
  std::vector<std::string> classes_; ///< names, of a classification
  ml::column_matrix features_;       ///< of the rows to train, n×d
  known_rows known_;                 ///< the same rows
  std::optional<ml::vector> weights_;
  ml::row_matrix held_out_; ///< features of the rows held out
  known_rows held_out_known_;
  std::size_t trained_rows_ = 0;
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
  std::string().swap(file_.text); // an assignment would keep its memory
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

  if (training_.features.empty())
    return fail(errc::configuration, "no features; list the columns to learn from under `features`");
  if (std::ranges::find(training_.features, training_.target) != training_.features.end())
    return fail(errc::configuration, "the target {} is among the features: the model would be told the answer",
                training_.target);
  if (const auto features = data_.check_features(training_.features); !features)
    return features.error().in("features");
  auto input = input_schema();
  if (!input)
    return input.error();
  package_.input = *std::move(input);
  auto output = output_schema();
  if (!output)
    return output.error().in("target");
  package_.output = *std::move(output);
  if (!training_.weight.empty())
    if (const auto weights = data_.weights(training_.weight); !weights)
      return weights.error();

  auto needed = training_.features;
  for (const auto& name : {training_.target, training_.weight, training_.holdout_stratify,
                           dataset_.split ? dataset_.split->stratify : std::string()})
    needed.push_back(name);
  data_.keep(needed);
  return fmt::format("{} features, target {}", training_.features.size(), training_.target);
}

/// What the model answers. The classes are those of the rows that are trained or held out, so they come with the split.
result<ml::schema> training_job::output_schema() const {
  ml::field_spec answer;
  answer.name = training_.predicts.empty() ? training_.target : training_.predicts;
  if (learner_->classifies()) {
    const auto classes = data_.classes(training_.target);
    if (!classes)
      return classes.error();
    answer.type = classes->type;
  } else if (const auto target = data_.target(training_.target); !target) {
    return target.error();
  }
  return ml::schema::make({answer});
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
  const auto part = choose_part(dataset_, data_);
  if (!part)
    return part.error();
  const auto split =
      split_rows(data_, *part, training_.holdout_size, training_.holdout_seed, training_.holdout_stratify);
  if (!split)
    return split.error().in("holdout");
  if (split->train.empty() || split->test.empty())
    return fail(errc::invalid,
                "of {} rows {} are to train and {} to hold out; change holdout.test_size or give more data",
                split->train.size() + split->test.size(), split->train.size(), split->test.size());
  if (const auto learnt = learn_targets(*part, *split); !learnt)
    return learnt.error();
  const auto train = part->empty() ? split->train : chosen(*part, split->train);
  const auto test = part->empty() ? split->test : chosen(*part, split->test);
  if (!training_.weight.empty()) {
    auto weights = data_.weights(training_.weight, train);
    if (!weights)
      return weights.error();
    weights_ = *std::move(weights);
  }
  if (const auto taken = take_features(train, test); !taken)
    return taken.error();
  data_ = {};
  trained_rows_ = train.size();
  return fmt::format("{} to train, {} to hold out", format_count(train.size()), format_count(test.size()));
}

/// Fills the targets of both parts, and in a classification the classes, which are those of the data set's part.
status training_job::learn_targets(const std::vector<std::uint32_t>& part, const ml::split_indices& split) {
  if (!learner_->classifies()) {
    const auto target = data_.target(training_.target, part);
    if (!target)
      return target.error();
    known_.target = (*target)(split.train);
    held_out_known_.target = (*target)(split.test);
    return {};
  }
  auto target = data_.classes(training_.target, part);
  if (!target)
    return target.error().in("target");
  if (target->classes.size() < 2)
    return fail(errc::invalid,
                "target {}: all {} rows are of the class {}; there is nothing to tell apart. Give rows of another "
                "class, or check the column",
                training_.target, target->numbers.size(), target->classes.empty() ? "" : target->classes.front());
  classes_ = std::move(target->classes);
  auto answer = package_.output.fields().front();
  answer.one_of = classes_;
  auto output = ml::schema::make({answer});
  if (!output)
    return output.error().in("target");
  package_.output = *std::move(output);
  for (auto [to, places] : {std::pair(&known_, &split.train), std::pair(&held_out_known_, &split.test)}) {
    to->classes_of = chosen(target->numbers, *places);
    to->target = Eigen::Map<const Eigen::Matrix<std::uint32_t, Eigen::Dynamic, 1>>(
                     to->classes_of.data(), static_cast<Eigen::Index>(to->classes_of.size()))
                     .cast<double>();
  }
  return {};
}

/// Moves the features out of the data set column by column, so that each is there twice for a moment only.
status training_job::take_features(const std::vector<std::uint32_t>& train, const std::vector<std::uint32_t>& test) {
  const auto width = static_cast<Eigen::Index>(training_.features.size());
  features_.resize(static_cast<Eigen::Index>(train.size()), width);
  held_out_.resize(static_cast<Eigen::Index>(test.size()), width);
  std::vector<float> column(test.size());
  for (Eigen::Index i = 0; i < width; ++i) {
    const auto& name = training_.features[static_cast<std::size_t>(i)];
    if (const auto copied = data_.feature(name, train, {features_.col(i).data(), train.size()}); !copied)
      return copied;
    if (const auto copied = data_.feature(name, test, column); !copied)
      return copied;
    held_out_.col(i) = Eigen::Map<const Eigen::VectorXf>(column.data(), static_cast<Eigen::Index>(column.size()));
    data_.drop(name);
  }
  return {};
}

result<std::string> training_job::train() {
  if (fault("trainer.throw"))
    throw std::runtime_error("trainer.throw: fault injected into the train step");
  ml::training_control control;
  control.threads = threads_;
  control.cancelled = &cancelled_;
  control.memory_budget = training_.memory;
  control.progress = share_of_step();
  control.thread_started = lower_priority;
  auto trained = learner_->train({features_, known_.target, classes_, weights_ ? &*weights_ : nullptr}, control);
  // A learner fails when it is cancelled or the budget is too small; then another attempt would end the same way.
  if (!trained && trained.error().code() == errc::failed && !cancelled_)
    return error(errc::configuration, trained.error().text()).in("`memory` of the Training");
  if (!trained)
    return trained.error();
  features_.resize(0, 0);
  package_.model = std::move(trained->model);
  package_.encoded_model = std::move(trained->encoded);
  package_.metrics = std::move(trained->metrics);
  std::erase_if(package_.metrics, [](const auto& metric) { return !std::isfinite(metric.second); });
  for (std::size_t i = 0; i < trained->importances.size(); ++i)
    package_.importances[training_.features[i]] = trained->importances[i];
  return fmt::format("{}, {}", training_.learner.type, format_size(package_.model->memory()));
}

result<std::string> training_job::evaluate() {
  const auto count = static_cast<std::size_t>(held_out_.rows());
  const auto width = static_cast<std::size_t>(held_out_.cols());
  const auto outputs = package_.model->outputs();
  std::vector<double> predicted(count * outputs);
  package_.model->predict({held_out_.data(), count * width}, predicted);

  if (classes_.empty()) {
    package_.metrics.merge(ml::by_name(ml::regression({held_out_known_.target.data(), count}, predicted)));
  } else {
    const auto figures = ml::classification(held_out_known_.classes_of, predicted, outputs);
    if (!figures)
      return figures.error();
    package_.metrics.merge(ml::by_name(*figures));
  }
  outcome_.metrics = package_.metrics;

  const auto kept = std::min(golden_rows, count);
  for (std::size_t i = 0; i < kept; ++i) {
    const auto row = i * count / kept;
    const auto* first = held_out_.data() + row * width;
    const auto* answer = predicted.data() + row * outputs;
    package_.golden.push_back({{first, first + width}, {answer, answer + outputs}});
  }
  return headline(package_.metrics);
}

struct ml::lineage training_job::lineage() const {
  struct ml::lineage from;
  from.data_digest = file_.digest;
  // The name only: the same file elsewhere must give the same package.
  from.data_path = dataset_.path.filename().string();
  from.split = describe_split(training_, dataset_);
  from.rows = trained_rows_;
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
  all.string("penstock training inputs 3");
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
  all.string(split.stratify);

  all.number(static_cast<std::uint32_t>(training.features.size()));
  for (const auto& feature : training.features)
    all.string(feature);
  all.string(training.target);
  all.string(training.predicts);
  all.number(training.holdout_size);
  all.number(training.holdout_seed);
  all.string(training.holdout_stratify);
  all.string(training.weight);
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
