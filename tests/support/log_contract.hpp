// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What every implementation of `storage::log` must do. Include it in one test source of a program and instantiate:
///
///     INSTANTIATE_TEST_SUITE_P(embedded, log_contract, testing::Values(backend{"embedded", make}), name_of_backend);
#include "tests/support/log_contract_records.hpp"
#include "tests/support/log_contract_sessions.hpp"
