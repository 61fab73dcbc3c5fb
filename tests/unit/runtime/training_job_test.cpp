// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"
#include "base/file.hpp"
#include "runtime/training_job.hpp"
#include "tests/unit/runtime/small_training.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <stdexcept>

#include <sys/resource.h>
#include <unistd.h>

namespace penstock::runtime {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

namespace fs = std::filesystem;

/// The job of the shipped application, on the real data.
const char* const real_file = "data/california_housing.csv";

dataset_spec real_dataset() {
  dataset_spec spec;
  spec.name = "training-part";
  spec.path = fs::absolute(real_file);
  spec.split = split_spec{0.2, 42, false};
  return spec;
}

training_spec real_training() {
  training_spec spec;
  spec.name = "house-prices";
  spec.dataset = "training-part";
  spec.features = {"MedInc", "HouseAge", "AveRooms", "AveBedrms", "Population", "AveOccup", "Latitude", "Longitude"};
  spec.target = "target";
  spec.predicts = "price";
  spec.learner = {"random_forest_regressor",
                  {{"n_estimators", "100"}, {"max_depth", "10"}, {"max_features", "all"}, {"random_state", "42"}}};
  spec.model = "house-prices";
  return spec;
}

// -- on the real data
// ---------------------------------------------------------------------------------------------------

/// One training with its reports.
struct told_training {
  std::vector<training_progress> seen;
  result<training_outcome> ended;
};

told_training train_house_prices(unsigned threads) {
  const std::atomic<bool> cancelled{false};
  std::vector<training_progress> seen;
  auto ended = run_training(
      "house-prices", real_training(), real_dataset(), threads, cancelled,
      [&](const training_progress& p) { seen.push_back(p); },
      [](const std::string&, const std::string&) { return status(); });
  return {std::move(seen), std::move(ended)};
}

/// With two threads; trained once for all tests.
const told_training& trained_house_prices() {
  static const told_training once = train_house_prices(2);
  return once;
}

TEST(house_prices, trains_in_seven_steps_to_the_quality_that_the_data_allows) {
  const auto& [seen, done] = trained_house_prices();
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_GE(done->metrics.at("rmse"), 0.52);
  EXPECT_LE(done->metrics.at("rmse"), 0.57);
  EXPECT_GE(done->metrics.at("r2"), 0.75);
  EXPECT_LE(done->metrics.at("r2"), 0.80);

  std::vector<std::string> texts;
  for (const auto& p : seen)
    if (p.done)
      texts.push_back(fmt::format("{} {}", name_of(p.step), p.text));
  const auto figures = fmt::format("evaluate RMSE {:.4f}  MAE {:.4f}  R² {:.4f}", done->metrics.at("rmse"),
                                   done->metrics.at("mae"), done->metrics.at("r2"));
  EXPECT_THAT(texts, ElementsAre(StartsWith("open california_housing.csv, "), "read 20,640 rows, 9 columns",
                                 "check 8 features, target target", "split 13,209 to train, 3,303 to hold out",
                                 StartsWith("train random_forest_regressor, "), figures,
                                 StartsWith("save " + done->digest.substr(0, 12))));
}

TEST(house_prices, gives_the_same_package_for_one_thread_and_for_two) {
  const auto one = train_house_prices(1);
  const auto& two = trained_house_prices();
  ASSERT_TRUE(one.ended && two.ended);
  EXPECT_EQ(one.ended->digest, two.ended->digest);
  EXPECT_EQ(one.ended->package, two.ended->package);
}

TEST(house_prices, packs_schema_lineage_metrics_and_golden_rows_of_the_holdout) {
  const auto& done = trained_house_prices().ended;
  ASSERT_TRUE(done);
  const auto loaded = ml::decode_package(done->package, done->digest);
  ASSERT_TRUE(loaded) << loaded.error().text();
  const auto& package = *loaded->package;
  EXPECT_EQ(package.metrics, done->metrics);
  EXPECT_EQ(package.learner, real_training().learner);
  ASSERT_EQ(package.input.size(), 8U);
  EXPECT_EQ(package.input.fields()[6].name, "Latitude");
  EXPECT_EQ(package.input.fields()[6].type, ml::field_type::float64);
  EXPECT_EQ(package.output.fields().at(0).name, "price");
  EXPECT_EQ(package.golden.size(), 20U);
  EXPECT_EQ(package.lineage.data_digest, sha256_hex(*read_file(real_file)));
  EXPECT_EQ(package.lineage.data_path, "california_housing.csv") << "the place of the file must not change the digest";
  EXPECT_EQ(package.lineage.rows, 13'209U);
  EXPECT_EQ(package.lineage.seed, 42U);
  EXPECT_EQ(package.lineage.training, "house-prices/house-prices");
  EXPECT_EQ(package.lineage.split, "train of test_size=0.2 seed=42; holdout test_size=0.2 seed=42");
}

// -- reading a data set
// -------------------------------------------------------------------------------------------------

TEST(house_prices, reads_the_part_that_the_data_set_declares) {
  auto spec = real_dataset();
  const auto train = read_dataset_file(spec);
  spec.split->test_part = true;
  const auto test = read_dataset_file(spec);
  spec.split.reset();
  const auto all = read_dataset_file(spec);
  ASSERT_TRUE(train && test && all);
  EXPECT_EQ(train->data->rows(), 16'512U);
  EXPECT_EQ(test->data->rows(), 4'128U);
  EXPECT_EQ(all->data->rows(), 20'640U);
  EXPECT_EQ(all->digest, train->digest);
  EXPECT_EQ(all->size, fs::file_size(real_file));
}

TEST_F(small_training, names_the_setting_of_a_file_that_is_missing) {
  dataset.path = directory_ / "absent.csv";
  const auto read = read_dataset_file(dataset);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code(), errc::not_found);
  EXPECT_THAT(read.error().text(), StartsWith("Dataset small, path: cannot open " + dataset.path.string()));
  const auto why = failure();
  EXPECT_EQ(why.code(), errc::not_found);
  EXPECT_THAT(why.text(), StartsWith("Training t, step 1/7 open: Dataset small, path: "));
}

TEST_F(small_training, names_the_line_of_a_bad_row) {
  write("a,b,y\n1,2,3\n4,5\n6,7,8\n");
  const auto why = failure();
  EXPECT_EQ(why.code(), errc::invalid);
  EXPECT_THAT(why.text(), AllOf(HasSubstr("step 2/7 read"), HasSubstr(dataset.path.string()), HasSubstr("line 3")));
}

TEST_F(small_training, counts_the_bad_rows_that_it_was_told_to_skip) {
  auto text = rows(60);
  text.insert(text.find('\n') + 1, "1,2\n");
  write(text);
  dataset.bad_rows = ml::on_error::skip;
  const auto done = run();
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(done->skipped_rows, 1U);
  const auto read =
      std::ranges::find_if(seen, [](const training_progress& p) { return p.step == training_step::read && p.done; });
  EXPECT_THAT(read->text, AllOf(StartsWith("60 rows, 4 columns; 1 skipped"), HasSubstr("line 2")));
}

// -- checks
// -------------------------------------------------------------------------------------------------------------

TEST_F(small_training, refuses_columns_that_are_missing_or_no_numbers_before_it_trains) {
  training.features = {"a", "absent"};
  EXPECT_THAT(failure().text(), AllOf(HasSubstr("step 3/7 check"), HasSubstr("absent")));
  training.features = {"a", "name"};
  EXPECT_THAT(failure().text(), AllOf(HasSubstr("step 3/7 check"), HasSubstr("name")));
  training.features = {"a"};
  training.target = "nothing";
  EXPECT_THAT(failure().text(), AllOf(HasSubstr("step 3/7 check"), HasSubstr("nothing")));
}

TEST_F(small_training, refuses_a_target_with_a_value_that_is_missing) {
  write(rows(60) + "1,2,n,\n");
  const auto why = failure();
  EXPECT_EQ(why.code(), errc::invalid);
  EXPECT_THAT(why.text(), AllOf(HasSubstr("step 3/7 check"), HasSubstr("target")));
}

TEST_F(small_training, refuses_a_target_that_is_a_feature_and_a_training_without_features) {
  training.features = {"a", "y"};
  EXPECT_EQ(failure().code(), errc::configuration);
  training.features = {};
  EXPECT_EQ(failure().code(), errc::configuration);
}

TEST_F(small_training, refuses_learners_it_does_not_know) {
  training.learner.type = "random_forest_regresor";
  const auto why = failure();
  EXPECT_EQ(why.code(), errc::configuration);
  EXPECT_THAT(why.text(), HasSubstr("random_forest_regressor"));
}

TEST_F(small_training, refuses_a_data_set_too_small_to_hold_rows_out) {
  write(rows(1));
  EXPECT_THAT(failure().text(), HasSubstr("step 4/7 split"));
}

// -- the package
// --------------------------------------------------------------------------------------------------------

TEST_F(small_training, gives_the_same_package_again_and_wherever_the_file_is) {
  const auto first = run();
  ASSERT_TRUE(first) << first.error().text();
  const auto elsewhere = directory_ / "other";
  fs::create_directories(elsewhere);
  fs::rename(dataset.path, elsewhere / "small.csv");
  dataset.path = elsewhere / "small.csv";
  const auto second = run();
  ASSERT_TRUE(second);
  EXPECT_EQ(first->digest, second->digest);
}

TEST_F(small_training, marks_features_with_missing_values_as_nullable_and_inferred_numbers_as_any_number) {
  write(rows(60) + ",3,n,4\n");
  ml::field_spec declared;
  declared.name = "b";
  declared.min = 0;
  dataset.fields = {declared};
  const auto done = run();
  ASSERT_TRUE(done) << done.error().text();
  const auto loaded = ml::decode_package(done->package);
  ASSERT_TRUE(loaded);
  const auto& fields = loaded->package->input.fields();
  EXPECT_TRUE(fields[0].nullable);
  EXPECT_EQ(fields[0].type, ml::field_type::float64) << "a column of whole numbers is no promise";
  EXPECT_FALSE(fields[1].nullable);
  EXPECT_EQ(fields[1].min, 0.0);
  EXPECT_EQ(loaded->package->output.fields()[0].name, "y") << "without `predicts` it is named as the target";
}

TEST_F(small_training, keeps_fewer_golden_rows_when_fewer_are_held_out) {
  write(rows(30));
  const auto done = run();
  ASSERT_TRUE(done) << done.error().text();
  EXPECT_EQ(ml::decode_package(done->package)->package->golden.size(), 6U);
}

TEST_F(small_training, fails_in_the_last_step_when_the_package_cannot_be_stored) {
  store_result = fail(errc::unavailable, "no space left on device");
  const auto ended = run();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code(), errc::unavailable);
  EXPECT_EQ(ended.error().text(), "Training t, step 7/7 save: no space left on device");
}

// -- inputs
// -------------------------------------------------------------------------------------------------------------

TEST_F(small_training, names_equal_inputs_equally_and_different_ones_differently) {
  const auto name = training_inputs(training, dataset, "digest");
  EXPECT_EQ(name.size(), 64U);
  const auto differs = [&](const std::function<void(training_spec&, dataset_spec&)>& change) {
    auto t = training;
    auto d = dataset;
    change(t, d);
    return training_inputs(t, d, "digest") != name;
  };
  EXPECT_TRUE(training_inputs(training, dataset, "other") != name);
  EXPECT_TRUE(differs([](auto& t, auto&) { t.features = {"b", "a"}; }));
  EXPECT_TRUE(differs([](auto& t, auto&) { t.features = {"ab"}; }));
  EXPECT_TRUE(differs([](auto& t, auto&) { t.target = "z"; }));
  EXPECT_TRUE(differs([](auto& t, auto&) { t.predicts = "z"; }));
  EXPECT_TRUE(differs([](auto& t, auto&) { t.holdout_size = 0.3; }));
  EXPECT_TRUE(differs([](auto& t, auto&) { t.holdout_seed = 1; }));
  EXPECT_TRUE(differs([](auto& t, auto&) { t.learner.parameters["max_depth"] = "3"; }));
  EXPECT_TRUE(differs([](auto& t, auto&) { t.learner.type = "other"; }));
  EXPECT_TRUE(differs([](auto&, auto& d) { d.split = split_spec{}; }));
  EXPECT_TRUE(differs([](auto&, auto& d) { d.bad_rows = ml::on_error::skip; }));
  EXPECT_TRUE(differs([](auto&, auto& d) { d.delimiter = ';'; }));
  EXPECT_TRUE(differs([](auto&, auto& d) { d.fields.resize(1); }));
  EXPECT_FALSE(differs([](auto& t, auto& d) {
    t.name = "renamed";
    t.model = "elsewhere";
    t.retries = 7;
    t.webhook = "http://127.0.0.1/";
    d.path = "/moved.csv";
  })) << "names and places do not change the model";
}

// -- progress, cancelling, priority
// -------------------------------------------------------------------------------------

TEST_F(small_training, tells_each_step_in_order_from_nothing_to_done) {
  ASSERT_TRUE(run());
  int step = 0;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const auto& p = seen[i];
    if (i == 0 || seen[i - 1].done) {
      EXPECT_EQ(static_cast<int>(p.step), ++step);
      EXPECT_EQ(p.share, 0);
      EXPECT_FALSE(p.done);
    } else {
      EXPECT_EQ(static_cast<int>(p.step), step);
      EXPECT_GE(p.share, seen[i - 1].share);
    }
    EXPECT_LE(p.share, 1);
    EXPECT_EQ(p.text.empty(), !p.done);
  }
  EXPECT_EQ(step, training_steps);
  EXPECT_TRUE(seen.back().done);
}

TEST_F(small_training, can_be_cancelled_in_every_step) {
  for (int step = 1; step <= training_steps; ++step) {
    cancelled = false;
    on_progress = [&](const training_progress& p) { cancelled = cancelled || static_cast<int>(p.step) == step; };
    seen.clear();
    const auto why = failure();
    EXPECT_EQ(why.code(), errc::failed);
    EXPECT_THAT(why.text(), AllOf(HasSubstr(fmt::format("step {}/7", step)), HasSubstr("cancelled")));
    EXPECT_FALSE(std::ranges::any_of(
        seen, [&](const training_progress& p) { return static_cast<int>(p.step) == step && p.done; }));
  }
}

TEST_F(small_training, stops_in_the_middle_of_the_train_step_when_it_is_cancelled) {
  training.learner.parameters["n_estimators"] = "200";
  on_progress = [&](const training_progress& p) { cancelled = p.step == training_step::train && p.share > 0; };
  EXPECT_THAT(failure().text(), AllOf(HasSubstr("step 5/7 train"), HasSubstr("cancelled")));
  EXPECT_LT(seen.back().share, 0.5);
}

#ifdef PENSTOCK_FAULT_POINTS
TEST_F(small_training, lets_an_exception_of_the_train_step_through_to_the_supervisor) {
  GTEST_FLAG_SET(death_test_style, "threadsafe"); // faults are read once, at the start of a process
  ::setenv("PENSTOCK_FAULTS", "trainer.throw@2", 1);
  EXPECT_EXIT(
      {
        const auto first = run();
        try {
          (void)run();
        } catch (const std::runtime_error&) {
          std::exit(first && seen.back().step == training_step::train ? 0 : 1);
        }
        std::exit(1);
      },
      ::testing::ExitedWithCode(0), "");
  ::unsetenv("PENSTOCK_FAULTS");
}
#endif

TEST_F(small_training, grows_trees_at_a_lower_priority) {
  threads = 2;
  std::vector<int> niceness;
  on_progress = [&](const training_progress& p) {
    if (p.step == training_step::train && !p.done && p.share > 0)
      niceness.push_back(::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid())));
  };
  ASSERT_TRUE(run());
  ASSERT_FALSE(niceness.empty());
  for (const int nice : niceness)
    EXPECT_GE(nice, 10);
}

} // namespace
} // namespace penstock::runtime
