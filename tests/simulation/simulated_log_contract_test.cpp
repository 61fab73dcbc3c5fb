// SPDX-License-Identifier: Apache-2.0
#include "tests/support/log_contract.hpp"
#include "tests/support/simulated_log.hpp"

namespace penstock::test {
namespace {

/// A simulated log whose broker outlives it.
class simulated_home : public log_home {
public:
  explicit simulated_home(bool markers)
      : markers_(markers), broker_(std::make_shared<simulated_broker>(markers, false)) {}

  [[nodiscard]] result<std::unique_ptr<storage::log>> open() override {
    simulated_log_options options;
    options.markers = markers_;
    return std::unique_ptr<storage::log>(std::make_unique<simulated_log>(options, broker_));
  }

private:
  bool markers_;
  std::shared_ptr<simulated_broker> broker_;
};

backend simulated(const std::string& name, bool markers) {
  return {name, [markers] { return std::make_unique<simulated_home>(markers); }};
}

INSTANTIATE_TEST_SUITE_P(simulated, log_contract,
                         ::testing::Values(simulated("as_kafka", true), simulated("as_embedded", false)),
                         name_of_backend);

} // namespace
} // namespace penstock::test
