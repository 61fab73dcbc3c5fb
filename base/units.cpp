// SPDX-License-Identifier: Apache-2.0
#include "base/units.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <span>

namespace penstock {

namespace {

struct unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array<unit, 7> duration_units{{{"ns", 1},
                                              {"us", 1'000},
                                              {"ms", 1'000'000},
                                              {"s", 1'000'000'000},
                                              {"m", 60'000'000'000},
                                              {"h", 3'600'000'000'000},
                                              {"d", 86'400'000'000'000}}};

constexpr std::array<unit, 10> size_units{{{"", 1},
                                           {"B", 1},
                                           {"kB", 1'000},
                                           {"MB", 1'000'000},
                                           {"GB", 1'000'000'000},
                                           {"TB", 1'000'000'000'000},
                                           {"KiB", std::uint64_t{1} << 10},
                                           {"MiB", std::uint64_t{1} << 20},
                                           {"GiB", std::uint64_t{1} << 30},
                                           {"TiB", std::uint64_t{1} << 40}}};

constexpr std::string_view digits_and_point = "0123456789.";

/// Digits with at most one point between them, exactly: whole part, and thousand-millionths of the rest.
struct decimal {
  std::uint64_t whole = 0;
  std::uint64_t billionths = 0;
};

std::optional<decimal> read_decimal(std::string_view text) {
  decimal out;
  const auto point = text.find('.');
  const auto whole = text.substr(0, point);
  const auto [end, problem] = std::from_chars(whole.data(), whole.data() + whole.size(), out.whole);
  if (problem != std::errc{} || end != whole.data() + whole.size())
    return std::nullopt;
  if (point == std::string_view::npos)
    return out;
  const auto fraction = text.substr(point + 1);
  if (fraction.empty() || fraction.size() > 9 || fraction.find('.') != std::string_view::npos)
    return std::nullopt;
  std::uint64_t scale = 100'000'000;
  for (const char c : fraction) {
    out.billionths += static_cast<std::uint64_t>(c - '0') * scale;
    scale /= 10;
  }
  return out;
}

/// `text` = decimal and one of `units`, as whole multiples of the smallest unit; nothing when it is none of that, does
/// not fit in 63 bits or is no whole number of them.
std::optional<std::uint64_t> read_quantity(std::string_view text, std::span<const unit> units) {
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  constexpr std::uint64_t billion = 1'000'000'000;
  const auto length = std::min(text.find_first_not_of(digits_and_point), text.size());
  const auto number = read_decimal(text.substr(0, length));
  if (!number)
    return std::nullopt;
  for (const auto& [name, factor] : units) {
    if (name != text.substr(length))
      continue;
    if (number->whole > most / factor)
      return std::nullopt;
    // Factors are at most 2⁴⁷ and billionths below 2³⁰: their product needs more than 64 bits, two halves do not.
    const auto high = (factor / billion) * number->billionths;
    const auto low = (factor % billion) * number->billionths;
    if (low % billion != 0)
      return std::nullopt;
    const auto rest = high + low / billion;
    const auto value = number->whole * factor;
    return rest > most - value ? std::nullopt : std::optional(value + rest);
  }
  return std::nullopt;
}

std::optional<double> read_double(std::string_view text) {
  double value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

} // namespace

result<duration> parse_duration(std::string_view text) {
  if (const auto nanoseconds = read_quantity(text, duration_units))
    return duration(static_cast<std::int64_t>(*nanoseconds));
  return fail(errc::invalid, "\"{}\" is not a duration: write a number and a unit, like 500ms, 10s, 5m, 2h or 7d",
              text);
}

result<std::uint64_t> parse_size(std::string_view text) {
  if (const auto bytes = read_quantity(text, size_units))
    return *bytes;
  return fail(errc::invalid, "\"{}\" is not a size: write bytes, or a number and a unit, like 512, 64KiB, 64MiB or 2GB",
              text);
}

result<double> parse_rate(std::string_view text) {
  if (const auto slash = text.find('/'); slash != std::string_view::npos) {
    const auto value = read_double(text.substr(0, slash));
    const auto unit = text.substr(slash + 1);
    const double seconds = unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
    // Whoever turns a rate into an interval gets one that fits in a duration.
    if (value && seconds > 0 && *value / seconds >= 1e-6 && *value / seconds <= 1e9)
      return *value / seconds;
  }
  return fail(errc::invalid,
              "\"{}\" is not a rate: write a number above 0 per second, minute or hour, like 100/s or 6000/m", text);
}

result<double> parse_fraction(std::string_view text) {
  const bool percent = text.ends_with('%');
  const auto value = read_double(percent ? text.substr(0, text.size() - 1) : text);
  if (value) {
    const double fraction = percent ? *value / 100 : *value;
    if (fraction >= 0 && fraction <= 1)
      return fraction;
  }
  return fail(errc::invalid, "\"{}\" is not a fraction: write a percentage from 0% to 100% or a number from 0 to 1",
              text);
}

std::string format_duration(duration value) {
  if (value < duration::zero())
    // Through unsigned, because the most negative count has no positive one.
    return "-" + format_duration(value == duration::min() ? duration::max() : -value);
  const auto count = value.count();
  const auto parts = [](std::int64_t amount, std::int64_t large, const char* first, const char* second) {
    return fmt::format("{}{} {:02}{}", amount / large, first, amount % large, second);
  };
  // Each limit is where the rounded number would print as the next unit's first.
  if (count < 1'000)
    return fmt::format("{}ns", count);
  const auto short_form = [](double amount, const char* unit) {
    auto text = amount < 9.95 ? fmt::format("{:.1f}", amount) : fmt::format("{:.0f}", amount);
    if (text.ends_with(".0"))
      text.resize(text.size() - 2);
    return text + unit;
  };
  if (count < 999'500)
    return short_form(static_cast<double>(count) / 1e3, "us");
  if (count < 999'500'000)
    return short_form(static_cast<double>(count) / 1e6, "ms");
  const auto seconds = count / 1'000'000'000 + (count % 1'000'000'000 >= 500'000'000 ? 1 : 0);
  if (seconds < 60)
    return short_form(static_cast<double>(count) / 1e9, "s");
  if (seconds < 3'600)
    return parts(seconds, 60, "m", "s");
  const auto minutes = seconds / 60 + (seconds % 60 >= 30 ? 1 : 0);
  if (minutes < 24 * 60)
    return parts(minutes, 60, "h", "m");
  const auto hours = minutes / 60 + (minutes % 60 >= 30 ? 1 : 0);
  return parts(hours, 24, "d", "h");
}

std::string format_size(std::uint64_t bytes) {
  if (bytes < 1024)
    return fmt::format("{} B", bytes);
  static constexpr std::array<std::string_view, 6> names{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double amount = static_cast<double>(bytes) / 1024;
  std::size_t i = 0;
  for (; amount >= 1023.95 && i + 1 < names.size(); ++i)
    amount /= 1024;
  return fmt::format("{:.1f} {}", amount, names[i]);
}

std::string format_count(std::uint64_t value) {
  auto text = std::to_string(value);
  for (auto i = static_cast<std::ptrdiff_t>(text.size()) - 3; i > 0; i -= 3)
    text.insert(static_cast<std::size_t>(i), 1, ',');
  return text;
}

} // namespace penstock
