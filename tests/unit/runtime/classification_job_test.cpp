// SPDX-License-Identifier: Apache-2.0
// Trainings of classifiers.
#include "tests/unit/runtime/small_training.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace penstock::runtime {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

namespace fs = std::filesystem;

class small_classification : public small_training {
protected:
  small_classification() {
    training.learner = {"random_forest_classifier", {{"n_estimators", "8"}, {"random_state", "7"}}};
    training.holdout_stratify = "y";
    write(labelled({"spam", "ham"}));
  }

  /// 60 rows whose class follows from a.
  static std::string labelled(const std::vector<std::string>& names, const std::string& last = {}) {
    std::string text = "a,b,w,y\n";
    for (int i = 0; i < 60; ++i)
      text += fmt::format("{},{},{},{}\n", i % 7, i * 0.5, i % 3,
                          i == 59 && !last.empty() ? last
                                                   : names[static_cast<std::size_t>(i % 7 > 3 ? 1 : 0) % names.size()]);
    return text;
  }
  std::shared_ptr<const ml::model_package> package() {
    const auto done = run();
    EXPECT_TRUE(done) << (done ? "" : done.error().text());
    if (!done)
      return nullptr;
    const auto loaded = ml::decode_package(done->package, done->digest);
    EXPECT_TRUE(loaded);
    return loaded ? loaded->package : nullptr;
  }
};

TEST_F(small_classification, names_its_classes_in_the_package_and_measures_them) {
  const auto made = package();
  ASSERT_TRUE(made);
  const auto& answer = made->output.fields().at(0);
  EXPECT_EQ(answer.one_of, (std::vector<std::string>{"ham", "spam"}));
  EXPECT_EQ(answer.type, ml::field_type::string);
  EXPECT_EQ(made->model->outputs(), 2U);
  EXPECT_EQ(made->golden.at(0).prediction.size(), 2U);
  for (const char* name : {"accuracy", "precision", "recall", "f1", "f1_macro", "roc_auc", "log_loss"})
    EXPECT_TRUE(made->metrics.contains(name)) << name;
  EXPECT_GE(made->metrics.at("accuracy"), 0.9) << "the class follows from a";
  EXPECT_GT(made->importances.at("a"), made->importances.at("b"));
  EXPECT_EQ(made->lineage.split, "all rows; holdout test_size=0.2 seed=42 stratify=y");
}

TEST_F(small_classification, keeps_the_type_of_integers_and_booleans) {
  write(labelled({"10", "9"}));
  auto made = package();
  ASSERT_TRUE(made);
  EXPECT_EQ(made->output.fields().at(0).one_of, (std::vector<std::string>{"9", "10"}));
  EXPECT_EQ(made->output.fields().at(0).type, ml::field_type::int64);
  write(labelled({"true", "false"}));
  made = package();
  ASSERT_TRUE(made);
  EXPECT_EQ(made->output.fields().at(0).one_of, (std::vector<std::string>{"false", "true"}));
  EXPECT_EQ(made->output.fields().at(0).type, ml::field_type::boolean);
}

TEST_F(small_classification, says_out_of_bag_what_it_was_asked_for) {
  training.learner.parameters["oob_score"] = "true";
  const auto made = package();
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->metrics.contains("oob_accuracy"));
  EXPECT_TRUE(made->metrics.contains("accuracy"));
}

TEST_F(small_classification, refuses_a_target_of_one_class) {
  write(labelled({"spam"}));
  EXPECT_THAT(failure().text(),
              AllOf(HasSubstr("step 4/7 split"), HasSubstr("nothing to tell apart"), HasSubstr("spam")));
}

TEST_F(small_classification, names_the_row_without_a_class) {
  write(labelled({"spam", "ham"}, "NA"));
  EXPECT_THAT(failure().text(), AllOf(HasSubstr("step 3/7 check"), HasSubstr("data row 60 has no class")));
}

TEST_F(small_classification, refuses_fractions_as_classes) {
  write(labelled({"0.5", "1.5"}));
  EXPECT_THAT(failure().text(), HasSubstr("classes must be integers, booleans or strings"));
}

TEST_F(small_classification, names_the_class_that_cannot_be_stratified) {
  write(labelled({"spam", "ham"}, "eggs"));
  const auto text = failure().text();
  EXPECT_THAT(text, AllOf(HasSubstr("holdout"), HasSubstr("0: eggs"), HasSubstr("only one row")));
}

TEST_F(small_classification, refuses_a_weight_for_a_class_that_is_not_there) {
  training.learner.parameters["class_weight"] = "ham: 1, eggs: 2";
  const auto why = failure();
  EXPECT_EQ(why.code(), errc::configuration);
  EXPECT_THAT(why.text(), AllOf(HasSubstr("eggs"), HasSubstr("ham, spam")));
}

TEST_F(small_classification, lets_weights_change_the_model) {
  const auto plain = run();
  training.weight = "w";
  const auto weighted = run();
  ASSERT_TRUE(plain && weighted) << (weighted ? "" : weighted.error().text());
  EXPECT_NE(plain->digest, weighted->digest);
  training.weight = "nothing";
  stored.reset();
  EXPECT_THAT(failure().text(), HasSubstr("column nothing is not in the data"));
}

TEST_F(small_classification, refuses_a_budget_that_is_too_small_and_says_so) {
  training.memory = 1024;
  const auto why = failure();
  EXPECT_EQ(why.code(), errc::configuration) << "no retry can help";
  EXPECT_THAT(why.text(), AllOf(HasSubstr("step 5/7 train"), HasSubstr("memory")));
}

TEST_F(small_classification, has_other_inputs_when_it_is_stratified_or_weighted) {
  auto stratified = training;
  auto weighted = training;
  auto limited = training;
  auto of_parts = dataset;
  stratified.holdout_stratify = "a";
  weighted.weight = "w";
  limited.memory = std::uint64_t{1} << 30;
  of_parts.split = split_spec{0.2, 1, false, {}};
  auto of_strata = of_parts;
  of_strata.split->stratify = "y";
  const auto own = training_inputs(training, dataset, "d");
  EXPECT_NE(training_inputs(stratified, dataset, "d"), own);
  EXPECT_NE(training_inputs(weighted, dataset, "d"), own);
  EXPECT_NE(training_inputs(training, of_parts, "d"), training_inputs(training, of_strata, "d"));
  EXPECT_EQ(training_inputs(limited, dataset, "d"), own) << "a budget changes the time, never the model";
}

TEST(stratified_data_set, has_the_rows_of_scikit_learn) {
  const auto golden = nlohmann::json::parse(*read_file("tests/data/golden_classification.json"));
  dataset_spec spec;
  spec.name = "patients";
  spec.path = fs::absolute("data/heart_disease_cleveland.csv");
  const auto all = read_dataset_file(spec);
  ASSERT_TRUE(all);
  int compared = 0;
  for (const auto& wanted : golden["splits"]["cases"]) {
    if (wanted["name"] != "heart disease")
      continue;
    ++compared;
    spec.split = split_spec{wanted["test_size"], wanted["seed"], true, "target"};
    const auto test = read_dataset_file(spec);
    ASSERT_TRUE(test) << test.error().text();
    const auto rows = wanted["test"].get<std::vector<std::uint32_t>>();
    ASSERT_EQ(test->data->rows(), rows.size());
    for (std::size_t c = 0; c < all->data->columns().size(); ++c)
      for (std::size_t i = 0; i < rows.size(); ++i)
        ASSERT_EQ(test->data->columns()[c].numbers[i], all->data->columns()[c].numbers[rows[i]]);
  }
  EXPECT_GT(compared, 0);
}

} // namespace
} // namespace penstock::runtime
