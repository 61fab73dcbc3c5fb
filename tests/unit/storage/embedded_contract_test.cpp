// SPDX-License-Identifier: Apache-2.0
#include "tests/support/log_contract.hpp"
#include "tests/unit/storage/scratch_directory.hpp"

namespace penstock::test {

namespace {

class embedded_home final : public log_home {
public:
  result<std::unique_ptr<storage::log>> open() override {
    storage::log_options options;
    options.allow_tmpfs = true;
    options.durability = storage::durability::process; // nothing here dies with the machine
    return storage::open_log("rocksdb:" + (directory_.path() / "log").string(), options);
  }

private:
  scratch_directory directory_;
};

} // namespace

INSTANTIATE_TEST_SUITE_P(embedded, log_contract,
                         testing::Values(backend{"embedded", [] { return std::make_unique<embedded_home>(); }}),
                         name_of_backend);

} // namespace penstock::test
