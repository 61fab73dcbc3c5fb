// SPDX-License-Identifier: Apache-2.0
#include "keeper/keeper.hpp"

#include <cstddef>
#include <cstdio>
#include <span>

int main(int argc, char** argv) {
  using namespace penstock::keeper;
  const std::span<const char* const> all(argv, static_cast<std::size_t>(argc));
  const auto parsed = parse(all.empty() ? all : all.subspan(1));
  if (const auto* wanted = std::get_if<options>(&parsed))
    return keep(*wanted);
  const auto& problem = std::get<std::string>(parsed);
  if (problem.empty()) {
    std::fputs(usage(), stdout);
    return 0;
  }
  std::fprintf(stderr, "penstock-keeper: %s\n\n%s", problem.c_str(), usage());
  return 2;
}
