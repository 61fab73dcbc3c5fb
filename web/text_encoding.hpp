// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace penstock::web {

/// True for well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing beyond U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view text);

/// RFC 4648 §4, with padding.
[[nodiscard]] std::string base64(std::string_view bytes);

/// Text as it may stand between tags and in quoted attributes of HTML.
[[nodiscard]] std::string escape_html(std::string_view text);

} // namespace penstock::web
