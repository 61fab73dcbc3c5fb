// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "runtime/application.hpp"
#include "tools/output_format.hpp"

namespace penstock::tools {

/// An application with everything that it amounts to; durations as `500ms`, what is not set is left out.
[[nodiscard]] document as_document(const runtime::application_spec& application);

} // namespace penstock::tools
