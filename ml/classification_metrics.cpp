// SPDX-License-Identifier: Apache-2.0
#include "ml/compensated_sum.hpp"
#include "ml/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace penstock::ml {

namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();
constexpr double clip = std::numeric_limits<double>::epsilon(); // as scikit-learn's log_loss
constexpr double rounding = 1e-6; // probabilities that were summed in float32 may leave [0, 1] by less

status check(std::span<const std::uint32_t> actual, std::span<const double> probabilities, std::size_t classes) {
  if (classes < 2 || classes > most_classes)
    return fail(errc::invalid, "a classification into {} classes cannot be measured: it takes 2 to {}", classes,
                most_classes);
  if (actual.empty() || actual.size() > std::numeric_limits<std::uint32_t>::max())
    return fail(errc::invalid,
                "a classification cannot be measured on {} rows: it takes 1 to {}; change the size of the hold-out",
                actual.size(), std::numeric_limits<std::uint32_t>::max());
  if (probabilities.size() != actual.size() * classes)
    return fail(errc::internal, "{} probabilities were given for {} rows of {} classes", probabilities.size(),
                actual.size(), classes);
  for (std::size_t row = 0; row < actual.size(); ++row) {
    if (actual[row] >= classes)
      return fail(
          errc::invalid,
          "row {} is of class number {}, but the model knows the classes 0 to {}: leave such rows out, or train "
          "with all classes",
          row, actual[row], classes - 1);
  }
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    if (!(probabilities[i] >= -rounding && probabilities[i] <= 1 + rounding))
      return fail(errc::invalid,
                  "the probability of class {} in row {} is {}, not between 0 and 1: the model is not sound, train it "
                  "again",
                  i % classes, i / classes, probabilities[i]);
  }
  return {};
}

/// Rows by actual and predicted class, and what follows from them.
struct counts {
  counts(std::span<const std::uint32_t> actual_classes, std::span<const double> probabilities, std::size_t classes)
      : cells(classes * classes), right(classes), actual(classes), predicted(classes) {
    for (std::size_t row = 0; row < actual_classes.size(); ++row) {
      const auto scores = probabilities.subspan(row * classes, classes);
      const auto best = static_cast<std::size_t>(std::ranges::max_element(scores) - scores.begin());
      ++cells[actual_classes[row] * classes + best];
      ++actual[actual_classes[row]];
      ++predicted[best];
      right[best] += actual_classes[row] == best;
    }
  }

  std::vector<std::uint64_t> cells;     ///< C×C, rows = actual
  std::vector<std::uint64_t> right;     ///< predicted and actual
  std::vector<std::uint64_t> actual;    ///< rows of each class
  std::vector<std::uint64_t> predicted; ///< rows predicted as each class
};

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

precision_recall scores_of(const counts& rows, std::size_t one) {
  return {share(rows.right[one], rows.predicted[one]), share(rows.right[one], rows.actual[one]),
          share(2 * rows.right[one], rows.actual[one] + rows.predicted[one])};
}

/// The mean of a figure of each class, where class c counts `weight(c)` times.
template <class Figure, class Weight>
double mean_over(std::size_t classes, Figure&& figure, Weight&& weight) {
  compensated_sum sum;
  double weights = 0;
  for (std::size_t one = 0; one < classes; ++one) {
    if (const auto times = static_cast<double>(weight(one)); times > 0) {
      sum.add(times * figure(one));
      weights += times;
    }
  }
  return sum.value() / weights;
}

template <class Weight>
precision_recall mean_scores(const counts& rows, Weight&& weight) {
  const auto mean = [&](double precision_recall::*figure) {
    return mean_over(
        rows.actual.size(), [&](std::size_t one) { return scores_of(rows, one).*figure; }, weight);
  };
  return {mean(&precision_recall::precision), mean(&precision_recall::recall), mean(&precision_recall::f1)};
}

/// Twice the pairs in which the positive row scores higher, ties once, over twice all pairs. Below 2⁶⁴, since fewer
/// than 2³² rows make at most 2⁶² pairs.
double area_under_roc(std::span<const std::uint32_t> actual, std::span<const double> probabilities, std::size_t classes,
                      std::size_t positive) {
  std::vector<double> of_class;
  std::vector<double> of_others;
  for (std::size_t row = 0; row < actual.size(); ++row)
    (actual[row] == positive ? of_class : of_others).push_back(probabilities[row * classes + positive]);
  if (of_class.empty() || of_others.empty())
    return undefined;
  std::ranges::sort(of_class);
  std::ranges::sort(of_others);
  std::uint64_t twice_won = 0;
  std::uint64_t below = 0; // of the others, those with a lower score
  std::uint64_t up_to = 0; // of the others, those with a score not higher
  for (const double score : of_class) {
    while (below < of_others.size() && of_others[below] < score)
      ++below;
    while (up_to < of_others.size() && of_others[up_to] <= score)
      ++up_to;
    twice_won += below + up_to;
  }
  return static_cast<double>(twice_won) / static_cast<double>(2 * of_class.size() * of_others.size());
}

double mean_log_loss(std::span<const std::uint32_t> actual, std::span<const double> probabilities,
                     std::size_t classes) {
  compensated_sum loss;
  for (std::size_t row = 0; row < actual.size(); ++row)
    loss.add(-std::log(std::clamp(probabilities[row * classes + actual[row]], clip, 1 - clip)));
  return loss.value() / static_cast<double>(actual.size());
}

} // namespace

result<classification_metrics> classification(std::span<const std::uint32_t> actual,
                                              std::span<const double> probabilities, std::size_t classes) {
  if (const auto fits = check(actual, probabilities, classes); !fits)
    return fits.error();
  const counts rows(actual, probabilities, classes);
  const auto rows_of = [&](std::size_t one) { return rows.actual[one]; };
  const auto occurs = [&](std::size_t one) { return rows.actual[one] + rows.predicted[one] > 0; };
  const auto area = [&](std::size_t one) { return area_under_roc(actual, probabilities, classes, one); };

  classification_metrics metrics;
  metrics.classes = classes;
  std::uint64_t right = 0;
  for (const auto of_class : rows.right)
    right += of_class;
  metrics.accuracy = share(right, actual.size());
  metrics.macro = mean_scores(rows, occurs);
  metrics.weighted = mean_scores(rows, rows_of);
  if (classes == 2) {
    metrics.binary = scores_of(rows, 1);
    metrics.roc_auc = area(1);
    metrics.roc_auc_ovr = metrics.roc_auc_ovr_weighted = undefined;
  } else {
    std::vector<double> areas(classes);
    for (std::size_t one = 0; one < classes; ++one)
      areas[one] = area(one);
    const auto area_of = [&](std::size_t one) { return areas[one]; };
    metrics.binary = {undefined, undefined, undefined};
    metrics.roc_auc = undefined;
    metrics.roc_auc_ovr = mean_over(classes, area_of, [](std::size_t) { return 1; });
    metrics.roc_auc_ovr_weighted = mean_over(classes, area_of, rows_of);
  }
  metrics.log_loss = mean_log_loss(actual, probabilities, classes);
  metrics.confusion = rows.cells;
  return metrics;
}

std::map<std::string, double> by_name(const classification_metrics& metrics) {
  std::map<std::string, double> figures{{"accuracy", metrics.accuracy},
                                        {"roc_auc", metrics.roc_auc},
                                        {"roc_auc_ovr", metrics.roc_auc_ovr},
                                        {"roc_auc_ovr_weighted", metrics.roc_auc_ovr_weighted},
                                        {"log_loss", metrics.log_loss}};
  const auto add = [&](const precision_recall& scores, const std::string& suffix) {
    figures["precision" + suffix] = scores.precision;
    figures["recall" + suffix] = scores.recall;
    figures["f1" + suffix] = scores.f1;
  };
  add(metrics.binary, "");
  add(metrics.macro, "_macro");
  add(metrics.weighted, "_weighted");
  std::erase_if(figures, [](const auto& figure) { return !std::isfinite(figure.second); });
  return figures;
}

} // namespace penstock::ml
