// SPDX-License-Identifier: Apache-2.0
#include "base/spelling.hpp"
#include "ml/forest/random_forest.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <utility>

namespace penstock::ml {

namespace {

constexpr std::uint32_t most_trees = 100'000;
constexpr std::uint32_t most_samples = 1U << 24;
constexpr std::uint32_t deepest = 100'000;
constexpr double most_class_weight = 1e9;

template <class Number>
bool parse(const std::string& text, Number& to) {
  const auto* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, to);
  return parsed.ec == std::errc{} && parsed.ptr == end;
}

error refused(const std::string& name, const std::string& value, const std::string& wanted) {
  return fail(errc::configuration, "random forest: {}: {} is not {}", name, value.substr(0, 64), wanted);
}

status set_number(const std::string& name, const std::string& text, std::uint32_t least, std::uint32_t most,
                  std::uint32_t& to) {
  std::uint32_t number = 0;
  if (!parse(text, number) || number < least || number > most) {
    return refused(name, text, fmt::format("a whole number from {} to {}", least, most));
  }
  to = number;
  return {};
}

status set_flag(const std::string& name, const std::string& text, bool& to) {
  if (text != "true" && text != "True" && text != "false" && text != "False") {
    return refused(name, text, "true or false");
  }
  to = text == "true" || text == "True";
  return {};
}

bool is_max_features(const std::string& text) {
  if (text == "all" || text == "sqrt" || text == "third") {
    return true;
  }
  if (text.find('.') != std::string::npos) {
    double fraction = 0;
    return parse(text, fraction) && fraction > 0 && fraction <= 1;
  }
  std::uint32_t number = 0;
  return parse(text, number) && number >= 1;
}

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(' ');
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

/// `no: 1, yes: 2.5` as pairs; nothing for an empty text and for `balanced`.
result<std::vector<std::pair<std::string, double>>> weights_by_class(const std::string& text) {
  std::vector<std::pair<std::string, double>> weights;
  if (text.empty() || text == "balanced") {
    return weights;
  }
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find(',', at), text.size());
    const auto part = text.substr(at, end - at);
    const auto colon = part.rfind(':');
    double weight = 0;
    if (colon == std::string::npos || !parse(trimmed(part.substr(colon + 1)), weight) || !(weight >= 0) ||
        weight > most_class_weight) {
      return refused("class_weight", text, "balanced, or weights of classes such as `no: 1, yes: 2.5`");
    }
    weights.emplace_back(trimmed(part.substr(0, colon)), weight);
    at = end + 1;
  }
  return weights;
}

status set(random_forest_parameters& to, const std::string& name, const std::string& text) {
  if (name == "n_estimators") {
    return set_number(name, text, 1, most_trees, to.n_estimators);
  }
  if (name == "max_depth") {
    if (text == "none" || text == "None") {
      to.max_depth = random_forest_parameters::no_limit;
      return {};
    }
    return set_number(name, text, 1, deepest, to.max_depth);
  }
  if (name == "min_samples_split") {
    return set_number(name, text, 2, most_samples, to.min_samples_split);
  }
  if (name == "min_samples_leaf") {
    return set_number(name, text, 1, most_samples, to.min_samples_leaf);
  }
  if (name == "random_state") {
    return set_number(name, text, 0, std::numeric_limits<std::uint32_t>::max(), to.random_state);
  }
  if (name == "max_features") {
    if (!is_max_features(text)) {
      return refused(name, text, "all, sqrt, third, a number of features or a fraction such as 0.5");
    }
    to.max_features = text;
    return {};
  }
  if (name == "bootstrap") {
    return set_flag(name, text, to.bootstrap);
  }
  if (name == "oob_score") {
    return set_flag(name, text, to.oob_score);
  }
  to.class_weight = text == "none" || text == "None" ? "" : text;
  auto weights = weights_by_class(to.class_weight);
  return weights ? status{} : weights.error();
}

} // namespace

const std::vector<std::string>& random_forest_parameters::names(bool classifies) {
  static const std::vector<std::string> regressor{"n_estimators",     "max_depth",    "min_samples_split",
                                                  "min_samples_leaf", "max_features", "random_state",
                                                  "bootstrap",        "oob_score"};
  static const auto classifier = [] {
    auto all = regressor;
    all.emplace_back("class_weight");
    return all;
  }();
  return classifies ? classifier : regressor;
}

result<random_forest_parameters> random_forest_parameters::make(const std::map<std::string, std::string>& values,
                                                                bool classifies) {
  random_forest_parameters made;
  if (classifies) {
    made.max_features = "sqrt";
  }
  const auto& known = names(classifies);
  for (const auto& [name, text] : values) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      const auto meant = nearest(name, known);
      return fail(errc::configuration, "random forest: there is no parameter {}; {}", name.substr(0, 64),
                  meant ? fmt::format("did you mean {}?", *meant)
                        : fmt::format("known are {}", fmt::join(known, ", ")));
    }
    if (auto done = set(made, name, text); !done) {
      return done.error();
    }
  }
  if (!made.bootstrap && (made.oob_score || !made.class_weight.empty())) {
    return fail(errc::configuration, "random forest: {} needs bootstrap: true",
                made.oob_score ? "oob_score" : "class_weight");
  }
  return made;
}

result<std::vector<double>> random_forest_parameters::class_weights(const std::vector<std::string>& classes,
                                                                    const std::vector<std::size_t>& counts) const {
  std::vector<double> weights(classes.size(), 1);
  if (class_weight == "balanced") {
    const auto rows = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::size_t{0}));
    for (std::size_t i = 0; i < classes.size(); ++i) {
      weights[i] =
          rows / (static_cast<double>(classes.size()) * static_cast<double>(std::max<std::size_t>(counts[i], 1)));
    }
    return weights;
  }
  auto given = weights_by_class(class_weight);
  if (!given) {
    return given.error();
  }
  for (const auto& [name, weight] : *given) {
    const auto found = std::find(classes.begin(), classes.end(), name);
    if (found == classes.end()) {
      return fail(errc::configuration, "random forest: class_weight names class {}, the data has {}", name,
                  fmt::join(classes, ", "));
    }
    weights[static_cast<std::size_t>(found - classes.begin())] = weight;
  }
  return weights;
}

std::size_t random_forest_parameters::features_per_split(std::size_t features) const {
  const auto all = static_cast<double>(features);
  double wanted = all;
  if (max_features == "sqrt") {
    wanted = std::sqrt(all);
  } else if (max_features == "third") {
    wanted = all / 3;
  } else if (max_features.find('.') != std::string::npos) {
    double fraction = 1;
    parse(max_features, fraction);
    wanted = fraction * all;
  } else if (std::uint32_t number = 0; parse(max_features, number)) {
    wanted = number;
  }
  return static_cast<std::size_t>(std::clamp(std::floor(wanted), 1.0, std::max(all, 1.0)));
}

} // namespace penstock::ml
