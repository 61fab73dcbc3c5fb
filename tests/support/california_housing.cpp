// SPDX-License-Identifier: Apache-2.0
#include "tests/support/california_housing.hpp"

#include "base/file.hpp"

#include <cstdio>
#include <cstdlib>

namespace penstock::testing {

namespace {

template <class T>
T required(result<T> value) {
  if (!value) {
    std::fprintf(stderr, "california_housing: %s\n", value.error().text().c_str());
    std::abort();
  }
  return *std::move(value);
}

} // namespace

const ml::data_set& california_housing() {
  static const auto data = required(ml::read_csv(required(read_file("data/california_housing.csv")), {})).data;
  return data;
}

regression_rows california_rows(std::span<const std::uint32_t> indices) {
  const auto selected = california_housing().select(indices);
  auto features = required(selected.features(
      {"MedInc", "HouseAge", "AveRooms", "AveBedrms", "Population", "AveOccup", "Latitude", "Longitude"}));
  ml::row_matrix rows = features;
  return {std::move(features), std::move(rows), required(selected.target("target"))};
}

} // namespace penstock::testing
