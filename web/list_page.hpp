// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.hpp"
#include "web/http_message.hpp"
#include "web/node_json.hpp"

#include <vector>

namespace penstock::web {

/// Cuts one page out of a list: `{"items": […], "next": "…" or null}`.
///
/// `filter=field=value` keeps items whose field (`.` steps into objects) contains the value, ASCII case ignored; may be
/// several, joined by `,`. `limit` is 1 to 1000, 100 if it is not given. `cursor` is what `next` said: opaque, and only
/// good for the same filter. `errc::invalid` for anything else. A list that changes between two pages may show an item
/// twice or not at all.
[[nodiscard]] result<document> list_page(std::vector<document> items, const request_target& target);

/// A parameter that is a whole number within bounds, `fallback` when it is absent. `errc::invalid` names it.
[[nodiscard]] result<std::int64_t> number_parameter(const request_target& target, const std::string& name,
                                                    std::int64_t least, std::int64_t most, std::int64_t fallback);

} // namespace penstock::web
