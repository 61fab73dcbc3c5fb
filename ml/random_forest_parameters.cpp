// SPDX-License-Identifier: Apache-2.0
#include "base/spelling.hpp"
#include "ml/random_forest.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace penstock::ml {

namespace {

constexpr std::uint32_t most_trees = 100'000;
constexpr std::uint32_t most_samples = 1U << 24;
constexpr std::uint32_t deepest = 100'000;

template <class Number>
bool parse(const std::string& text, Number& to) {
  const auto* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, to);
  return parsed.ec == std::errc{} && parsed.ptr == end;
}

error refused(const std::string& name, const std::string& value, const std::string& wanted) {
  return fail(errc::configuration, "random_forest_regressor: {}: {} is not {}", name, value.substr(0, 64), wanted);
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
    if (text != "true" && text != "True" && text != "false" && text != "False") {
      return refused(name, text, "true or false");
    }
    to.bootstrap = text == "true" || text == "True";
    return {};
  }
  const auto meant = nearest(name, random_forest_parameters::names());
  return fail(errc::configuration, "random_forest_regressor has no parameter {}; {}", name.substr(0, 64),
              meant ? fmt::format("did you mean {}?", *meant)
                    : fmt::format("it has {}", fmt::join(random_forest_parameters::names(), ", ")));
}

} // namespace

const std::vector<std::string>& random_forest_parameters::names() {
  static const std::vector<std::string> all{"n_estimators", "max_depth",    "min_samples_split", "min_samples_leaf",
                                            "max_features", "random_state", "bootstrap"};
  return all;
}

result<random_forest_parameters> random_forest_parameters::make(const std::map<std::string, std::string>& values) {
  random_forest_parameters made;
  for (const auto& [name, text] : values) {
    auto done = set(made, name, text);
    if (!done) {
      return done.error();
    }
  }
  return made;
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
