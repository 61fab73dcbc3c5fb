// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.hpp"
#include "base/file.hpp"
#include "runtime/training_job.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <unistd.h>

namespace penstock::runtime {

/// A training of a moment, on a file of this test.
class small_training : public ::testing::Test {
protected:
  small_training() {
    directory_ = std::filesystem::temp_directory_path() / ("penstock-training-" + std::to_string(::getpid()));
    std::filesystem::create_directories(directory_);
    dataset.name = "small";
    dataset.path = directory_ / "small.csv";
    training.name = "t";
    training.dataset = "small";
    training.features = {"a", "b"};
    training.target = "y";
    training.learner = {"random_forest_regressor", {{"n_estimators", "4"}, {"random_state", "7"}}};
    write(rows(60));
  }
  ~small_training() override { std::filesystem::remove_all(directory_); }

  static std::string rows(int count) {
    std::string text = "a,b,name,y\n";
    for (int i = 0; i < count; ++i)
      text += fmt::format("{},{},n{},{}\n", i % 7, i * 0.5, i, i % 7 + i * 0.25);
    return text;
  }
  void write(const std::string& text) const { ASSERT_TRUE(write_file_atomically(dataset.path, text)); }

  result<training_outcome> run() {
    return run_training(
        "app", training, dataset, threads, cancelled,
        [this](const training_progress& p) {
          seen.push_back(p);
          if (on_progress)
            on_progress(p);
        },
        [this](const std::string& digest, const std::string& package) {
          stored = digest;
          EXPECT_EQ(sha256_hex(package), digest);
          return store_result;
        });
  }

  /// The error of a run that must fail; no package may have been stored.
  error failure() {
    auto ended = run();
    EXPECT_FALSE(ended);
    EXPECT_FALSE(stored);
    return ended ? error(errc::internal, "it did not fail") : ended.error();
  }

  std::filesystem::path directory_;
  dataset_spec dataset;
  training_spec training;
  unsigned threads = 1;
  std::atomic<bool> cancelled{false};
  std::function<void(const training_progress&)> on_progress;
  status store_result;
  std::vector<training_progress> seen;
  std::optional<std::string> stored;
};

} // namespace penstock::runtime
