// SPDX-License-Identifier: Apache-2.0
// Training and prediction of a forest on California Housing: JSON lines {"metric","value","unit"}. From the
// repository's root:
//
//   forest_bench             everything but what needs a process of its own; PENSTOCK_INSTRUCTION_SET rules kernels out
//   forest_bench --once      one repetition of what its peers are measured by; bench/peers asks for it in turn with
//                            theirs. Each figure also tells the cores that it used: processor time by wall time.
//   forest_bench --million   trains on 1 M rows and does nothing else
//   forest_bench --memory FEATURES   trains on 10 M rows within a budget and tells the peak of the process
#include "base/file.hpp"
#include "ml/data_set.hpp"
#include "ml/learner.hpp"
#include "ml/matrix.hpp"
#include "ml/metrics.hpp"
#include "ml/split.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <sys/resource.h>

namespace {

using namespace penstock;

constexpr std::size_t trees = 100;

void print(const char* metric, double value, const char* unit) {
  fmt::print("{{\"metric\":\"{}\",\"value\":{:.6g},\"unit\":\"{}\"}}\n", metric, value, unit);
}

/// Seconds of the fastest of some runs: what the machine can do when nobody disturbs it.
double fastest(int runs, const std::function<void()>& work) {
  double best = 1e9;
  for (int run = 0; run < runs; ++run) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  return best;
}

struct house_prices {
  ml::column_matrix train;
  ml::vector prices;
  ml::row_matrix test;
  ml::vector test_prices;
};

result<house_prices> load(const char* path) {
  auto text = read_file(path);
  if (!text) {
    return text.error();
  }
  auto read = ml::read_csv(*text, {});
  if (!read) {
    return read.error();
  }
  print("csv_read_ms", 1e3 * fastest(5, [&] { std::ignore = ml::read_csv(*text, {}); }), "ms");
  const auto split = ml::train_test_split(static_cast<std::uint32_t>(read->data.rows()), 0.2, 42);
  const auto names = std::vector<std::string>{"MedInc",     "HouseAge", "AveRooms", "AveBedrms",
                                              "Population", "AveOccup", "Latitude", "Longitude"};
  const auto train = read->data.select(split.train);
  auto features = train.features(names);
  auto prices = train.target("target");
  const auto rest = read->data.select(split.test);
  auto test = rest.features(names);
  auto test_prices = rest.target("target");
  if (!features || !prices || !test || !test_prices) {
    return fail(errc::invalid, "{}: is not the California Housing data", path);
  }
  return house_prices{*std::move(features), *std::move(prices), *test, *std::move(test_prices)};
}

/// The training rows again and again, each time a little moved, so that a million of them have about as many values.
void measure_training_on_a_million(const house_prices& data) {
  constexpr Eigen::Index million = 1'000'000;
  std::mt19937 random(42);
  std::normal_distribution<float> shift(1.0F, 0.01F);
  house_prices many{ml::column_matrix(million, data.train.cols()), ml::vector(million), {}, {}};
  for (Eigen::Index row = 0; row < million; ++row) {
    for (Eigen::Index feature = 0; feature < data.train.cols(); ++feature) {
      many.train(row, feature) = data.train(row % data.train.rows(), feature) * shift(random);
    }
    many.prices(row) = data.prices(row % data.train.rows());
  }
  auto learner = ml::make_learner({"random_forest_regressor", {{"n_estimators", "100"}, {"max_depth", "10"}}});
  ml::training_control control;
  control.threads = 2;
  print("train_1m_2threads_s",
        fastest(1,
                [&] {
                  std::ignore = (*learner)->train({many.train, many.prices}, control);
                }),
        "s");
}

// -- one repetition -----------------------------------------------------------

/// Does the work once unmeasured and then some times; prints the median of the runs, in seconds times `scale`.
void print_median(const std::string& metric, int runs, double scale, const char* unit,
                  const std::function<void()>& work) {
  std::vector<std::pair<double, double>> found; // seconds, cores
  for (int run = 0; run <= runs; ++run) {
    const auto processor = std::clock();
    const auto begin = std::chrono::steady_clock::now();
    work();
    const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    const auto used = static_cast<double>(std::clock() - processor) / static_cast<double>(CLOCKS_PER_SEC);
    if (run > 0) {
      found.emplace_back(seconds, used / seconds);
    }
  }
  std::nth_element(found.begin(), found.begin() + runs / 2, found.end());
  const auto [seconds, cores] = found[static_cast<std::size_t>(runs / 2)];
  fmt::print("{{\"metric\":\"{}\",\"value\":{:.6g},\"unit\":\"{}\",\"cores\":{:.3g}}}\n", metric, scale * seconds, unit,
             cores);
}

/// p50 of a call with one row: each row of the test part once.
void print_row_median(const ml::model& model, std::span<const float> rows, std::size_t count) {
  std::vector<double> times(count);
  double answer = 0;
  for (std::size_t row = 0; row < count; ++row) {
    const auto begin = std::chrono::steady_clock::now();
    model.predict(rows.subspan(row * model.features(), model.features()), std::span(&answer, 1));
    times[row] = std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count();
  }
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(count / 2), times.end());
  print("predict_row_us", times[count / 2], "us");
}

void measure_once(const house_prices& data) {
  auto learner = ml::make_learner(
      {"random_forest_regressor", {{"n_estimators", "100"}, {"max_depth", "10"}, {"random_state", "42"}}});
  std::shared_ptr<ml::model> model;
  for (unsigned threads : {2U, 1U}) {
    print_median(threads == 1 ? "train_16k_1thread_s" : "train_16k_2threads_s", 15, 1, "s", [&] {
      ml::training_control control;
      control.threads = threads;
      model = std::move((*learner)->train({data.train, data.prices}, control)->model);
    });
  }
  const std::span rows(data.test.data(), static_cast<std::size_t>(data.test.size()));
  const auto count = static_cast<std::size_t>(data.test.rows());
  std::vector<double> answers(count);
  model->predict(rows, answers);
  const auto quality = ml::regression({data.test_prices.data(), count}, answers);
  print("rmse", quality.rmse, "100,000 USD");
  print("r2", quality.r2, "");
  for (std::size_t batch : {count, std::size_t{64}}) {
    const auto scored = count - count % batch;
    print_median(batch == 64 ? "predict_batch64_ns_per_row_tree" : "predict_batch_ns_per_row_tree", 51,
                 1e9 / static_cast<double>(scored * trees), "ns", [&] {
                   for (std::size_t first = 0; first < scored; first += batch) {
                     model->predict(rows.subspan(first * model->features(), batch * model->features()),
                                    std::span(answers).subspan(first, batch));
                   }
                 });
  }
  print_row_median(*model, rows, count);
}

// -- what else there is to know -------------------------------------------------

/// Time per feature with more of them: each is one of the eight again, a little moved.
void measure_more_features(const house_prices& data) {
  std::mt19937 random(42);
  std::normal_distribution<float> shift(1.0F, 0.01F);
  for (Eigen::Index features : {Eigen::Index{8}, Eigen::Index{16}, Eigen::Index{64}}) {
    ml::column_matrix wide(data.train.rows(), features);
    for (Eigen::Index feature = 0; feature < features; ++feature) {
      for (Eigen::Index row = 0; row < wide.rows(); ++row) {
        wide(row, feature) = data.train(row, feature % data.train.cols()) * shift(random);
      }
    }
    auto learner = ml::make_learner({"random_forest_regressor", {{"n_estimators", "100"}, {"max_depth", "10"}}});
    print_median(fmt::format("train_16k_{}_features_ms_per_feature", features), 3, 1e3 / static_cast<double>(features),
                 "ms", [&] {
                   std::ignore = (*learner)->train({wide, data.prices}, {});
                 });
  }
}

/// From the bytes of a model to its first answer.
void measure_loading(const house_prices& data) {
  auto learner = ml::make_learner({"random_forest_regressor", {{"n_estimators", "100"}, {"max_depth", "10"}}});
  const auto trained = *(*learner)->train({data.train, data.prices}, {});
  print_median("load_to_first_prediction_ms", 9, 1e3, "ms", [&] {
    const auto loaded = ml::decode_model(trained.encoded);
    double answer = 0;
    (*loaded)->predict({data.test.data(), (*loaded)->features()}, {&answer, 1});
  });
  print("model_memory_kib", static_cast<double>(trained.model->memory()) / 1024, "KiB");
  fmt::print(stderr, "forest_bench: kernel {}: {}\n", trained.model->kernel().name, trained.model->kernel().reason);
}

/// The largest resident size that the process has had, MiB.
double peak_mib() {
  rusage used{};
  (void)getrusage(RUSAGE_SELF, &used);
  return static_cast<double>(used.ru_maxrss) / 1024;
}

void measure_memory(Eigen::Index features) {
  constexpr Eigen::Index rows = 10'000'000;
  ml::column_matrix data(rows, features);
  ml::vector target(rows);
  std::mt19937 random(1);
  for (Eigen::Index i = 0; i < data.size(); ++i) {
    data.data()[i] = static_cast<float>(random() % 100'000) / 1000;
  }
  for (Eigen::Index row = 0; row < rows; ++row) {
    target(row) = static_cast<double>(data(row, 0)) + static_cast<double>(random() % 100) / 10;
  }
  ml::training_control control;
  control.threads = 2;
  control.memory_budget = (std::size_t{2} << 30) - static_cast<std::size_t>(rows * (features * 4 + 8));
  auto learner = ml::make_learner({"random_forest_regressor", {{"n_estimators", "4"}, {"max_depth", "10"}}});
  const auto trained = (*learner)->train({data, target}, control);
  if (!trained) {
    fmt::print(stderr, "forest_bench: {}\n", trained.error().text());
    std::exit(static_cast<int>(trained.error().code()));
  }
  print(fmt::format("train_10m_{}_features_peak_mib", features).c_str(), peak_mib(), "MiB");
}

} // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (!mode.empty() && mode != "--once" && mode != "--million" && (mode != "--memory" || argc != 3)) {
    fmt::print(stderr, "forest_bench: unknown argument {}; there are --once, --million and --memory FEATURES\n", mode);
    return static_cast<int>(errc::usage);
  }
  if (mode == "--memory") {
    measure_memory(std::clamp(std::atoi(argv[2]), 1, 100));
    return 0;
  }
  auto data = load("data/california_housing.csv");
  if (!data) {
    fmt::print(stderr, "{}\n", data.error().text());
    return static_cast<int>(data.error().code());
  }
  if (mode != "--million") {
    measure_once(*data);
  }
  if (mode.empty()) {
    measure_loading(*data);
    measure_more_features(*data);
  }
  if (mode != "--once") {
    measure_training_on_a_million(*data);
  }
  return 0;
}
