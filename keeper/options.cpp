// SPDX-License-Identifier: Apache-2.0
#include "keeper/options.hpp"

#include <charconv>
#include <cstddef>
#include <string_view>

namespace penstock::keeper {

namespace {

/// Far beyond any use, and far from overflow when multiplied to nanoseconds.
constexpr int largest = 1'000'000;

/// Sets what `name` names to `value`; false when there is no such option.
bool set(restart_limits& limits, std::string_view name, int value) {
  if (name == "--intensity")
    limits.intensity = value;
  else if (name == "--within")
    limits.within = std::chrono::seconds(value);
  else if (name == "--backoff-initial")
    limits.backoff_initial = std::chrono::milliseconds(value);
  else if (name == "--backoff-max")
    limits.backoff_max = std::chrono::milliseconds(value);
  else if (name == "--backoff-reset")
    limits.backoff_reset = std::chrono::seconds(value);
  else
    return false;
  return true;
}

} // namespace

std::variant<options, std::string> parse(std::span<const char* const> arguments) {
  options out;
  std::size_t i = 0;
  for (; i < arguments.size(); i += 2) {
    const std::string name = arguments[i];
    if (name == "--")
      break;
    if (name == "-h" || name == "--help")
      return std::string();
    if (!set(out.limits, name, 0))
      return "\"" + name + "\" is no option; the command follows after \"--\"";
    const std::string_view text = i + 1 < arguments.size() ? arguments[i + 1] : "";
    int value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc{} || end != text.data() + text.size() || value < 0 || value > largest)
      return name + " wants a whole number from 0 to " + std::to_string(largest) + ", not \"" + std::string(text) +
             "\"";
    set(out.limits, name, value);
  }
  for (++i; i < arguments.size(); ++i)
    out.command.emplace_back(arguments[i]);
  if (out.command.empty())
    return std::string("no command is given; it follows after \"--\"");
  return out;
}

const char* usage() {
  return "Usage: penstock-keeper [OPTIONS] -- COMMAND [ARGUMENT...]\n"
         "Runs COMMAND and starts it again when it dies.\n"
         "\n"
         "  --intensity N          give up after N restarts ...          (5)\n"
         "  --within SECONDS       ... in so many seconds                (10)\n"
         "  --backoff-initial MS   wait before the second restart        (100)\n"
         "  --backoff-max MS       doubled each time up to               (10000)\n"
         "  --backoff-reset SECONDS  a life that long forgets the waits  (30)\n"
         "\n"
         "COMMAND finds PENSTOCK_INCARNATION (1, 2, ...), PENSTOCK_LAST_DEATH (none, exit:CODE, watchdog,\n"
         "signal:NUMBER, oom) and PENSTOCK_KEEPER_PID in its environment.\n"
         "Exit code: COMMAND's own when it ended for good, 1 when the keeper gave up, 2 for wrong usage.\n"
         "\n"
         "Example: penstock-keeper --intensity 3 -- penstock node --data /var/lib/penstock\n";
}

} // namespace penstock::keeper
