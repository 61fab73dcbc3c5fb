// SPDX-License-Identifier: Apache-2.0
// How good our forests are on many splits: a JSON line {"data","seed",…} for each seed of the split and of the model.
// The splits are those of scikit-learn, so that its forests can be held beside ours pair by pair (accuracy.py).
// Usage: forest_accuracy, from the repository's root.
#include "base/file.hpp"
#include "ml/data_set.hpp"
#include "ml/learner.hpp"
#include "ml/matrix.hpp"
#include "ml/metrics.hpp"
#include "ml/split.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace penstock;

constexpr unsigned house_seeds = 10;
constexpr unsigned heart_seeds = 20;
constexpr double test_size = 0.2;

/// A table whose last column is the target.
struct table {
  ml::data_set data;
  std::vector<std::string> features;
  ml::vector target;
};

result<table> load(const char* path) {
  auto text = read_file(path);
  if (!text) {
    return text.error();
  }
  auto read = ml::read_csv(*text, {});
  if (!read) {
    return read.error().in(path);
  }
  table loaded{std::move(read->data), {}, {}};
  for (const auto& column : loaded.data.columns()) {
    loaded.features.push_back(column.field.name);
  }
  auto target = loaded.data.target(loaded.features.back());
  if (!target) {
    return target.error().in(path);
  }
  loaded.features.pop_back();
  loaded.target = *std::move(target);
  return loaded;
}

/// One part of the table.
struct part {
  ml::column_matrix features;
  ml::vector target;
};

result<part> take(const table& from, const std::vector<std::uint32_t>& rows) {
  auto features = from.data.select(rows).features(from.features);
  if (!features) {
    return features.error();
  }
  part taken{*std::move(features), ml::vector(static_cast<Eigen::Index>(rows.size()))};
  for (std::size_t row = 0; row < rows.size(); ++row) {
    taken.target(static_cast<Eigen::Index>(row)) = from.target(static_cast<Eigen::Index>(rows[row]));
  }
  return taken;
}

/// Trains on the training part; what the model answers for the test part, row-major.
result<std::vector<double>> answers(const ml::learner_spec& spec, const part& train, const part& test,
                                    const std::vector<std::string>& classes) {
  const auto learner = ml::make_learner(spec);
  if (!learner) {
    return learner.error();
  }
  ml::training_control control;
  control.threads = 2;
  const auto trained = (*learner)->train({train.features, train.target, classes}, control);
  if (!trained) {
    return trained.error();
  }
  const ml::row_matrix rows = test.features;
  std::vector<double> found(static_cast<std::size_t>(rows.rows()) * trained->model->outputs());
  trained->model->predict({rows.data(), static_cast<std::size_t>(rows.size())}, found);
  return found;
}

result<std::string> house_prices(const table& houses, unsigned seed) {
  const auto split = ml::train_test_split(static_cast<std::uint32_t>(houses.data.rows()), test_size, seed);
  const auto train = take(houses, split.train);
  const auto test = take(houses, split.test);
  if (!train || !test) {
    return train ? test.error() : train.error();
  }
  const ml::learner_spec spec{"random_forest_regressor",
                              {{"n_estimators", "100"}, {"max_depth", "10"}, {"random_state", std::to_string(seed)}}};
  const auto found = answers(spec, *train, *test, {});
  if (!found) {
    return found.error();
  }
  const auto quality = ml::regression({test->target.data(), found->size()}, *found);
  return fmt::format(R"({{"data":"houses","seed":{},"rmse":{:.10g},"r2":{:.10g}}})", seed, quality.rmse, quality.r2);
}

result<std::string> heart_disease(const table& hearts, unsigned seed) {
  std::vector<std::uint32_t> ill;
  for (const auto value : hearts.target) {
    ill.push_back(value == 0 ? 0 : 1);
  }
  const auto split = ml::stratified_train_test_split(ill, test_size, seed);
  if (!split) {
    return split.error();
  }
  const auto train = take(hearts, split->train);
  const auto test = take(hearts, split->test);
  if (!train || !test) {
    return train ? test.error() : train.error();
  }
  const ml::learner_spec spec{"random_forest_classifier",
                              {{"n_estimators", "100"},
                               {"max_depth", "10"},
                               {"min_samples_split", "5"},
                               {"min_samples_leaf", "2"},
                               {"random_state", std::to_string(seed)}}};
  const auto found = answers(spec, *train, *test, {"healthy", "ill"});
  if (!found) {
    return found.error();
  }
  std::vector<std::uint32_t> actual;
  for (const auto row : split->test) {
    actual.push_back(ill[row]);
  }
  const auto quality = ml::classification(actual, *found, 2);
  if (!quality) {
    return quality.error();
  }
  return fmt::format(R"({{"data":"heart","seed":{},"accuracy":{:.10g},"auc":{:.10g}}})", seed, quality->accuracy,
                     quality->roc_auc);
}

result<void> measure(const char* path, unsigned seeds, result<std::string> (*one)(const table&, unsigned)) {
  const auto data = load(path);
  if (!data) {
    return data.error();
  }
  for (unsigned seed = 0; seed < seeds; ++seed) {
    const auto line = one(*data, seed);
    if (!line) {
      return line.error().in(fmt::format("{}, seed {}", path, seed));
    }
    fmt::print("{}\n", *line);
  }
  return {};
}

} // namespace

int main() {
  for (const auto& done : {measure("data/california_housing.csv", house_seeds, house_prices),
                           measure("data/heart_disease_cleveland.csv", heart_seeds, heart_disease)}) {
    if (!done) {
      fmt::print(stderr, "forest_accuracy: {}\n", done.error().text());
      return static_cast<int>(done.error().code());
    }
  }
  return 0;
}
