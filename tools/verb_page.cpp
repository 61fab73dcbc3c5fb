// SPDX-License-Identifier: Apache-2.0
#include "tools/verb_page.hpp"

#include "base/spelling.hpp"

#include <boost/program_options/errors.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/positional_options.hpp>

#include <sstream>

namespace penstock::tools {

namespace po = boost::program_options;

namespace {

constexpr const char* arguments_option = "argument";

error see_help(const verb_page& page, const std::string& what) {
  return {errc::usage, what + "; see penstock " + page.name + " -h"};
}

error unknown(const verb_page& page, const std::string& option) {
  std::vector<std::string> known;
  for (const auto& each : page.options.options())
    known.push_back("--" + each->long_name());
  const auto near = nearest(option, known);
  return see_help(page, "unknown option " + option + (near ? ", did you mean " + *near + "?" : ""));
}

/// Everything the parser knows: the page's options, -h, and the arguments.
po::options_description everything(const verb_page& page) {
  po::options_description all;
  all.add(page.options);
  all.add_options()("help,h", "")(arguments_option, po::value<std::vector<std::string>>(), "");
  return all;
}

std::optional<error> count_arguments(const verb_page& page, const parsed_line& parsed) {
  if (parsed.arguments.size() < page.least)
    return see_help(page, "penstock " + page.name + " needs " + page.arguments);
  if (parsed.arguments.size() > page.most)
    return see_help(page, "unexpected argument \"" + parsed.arguments[page.most] + "\"");
  return std::nullopt;
}

} // namespace

result<parsed_line> parse_line(const verb_page& page, words line) {
  parsed_line parsed;
  const auto all = everything(page);
  po::positional_options_description positional;
  positional.add(arguments_option, -1);
  try {
    // No guessing: an abbreviation that works today breaks when an option is added.
    const auto style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    po::store(po::command_line_parser(std::vector<std::string>(line.begin(), line.end()))
                  .options(all)
                  .positional(positional)
                  .style(style)
                  .run(),
              parsed.options);
    po::notify(parsed.options);
  } catch (const po::unknown_option& e) {
    return unknown(page, e.get_option_name());
  } catch (const po::error& e) {
    return see_help(page, e.what());
  }
  parsed.help = parsed.has("help");
  if (parsed.has(arguments_option))
    parsed.arguments = parsed.options[arguments_option].as<std::vector<std::string>>();
  if (!parsed.help)
    if (auto wrong = count_arguments(page, parsed))
      return std::move(*wrong);
  return parsed;
}

std::string help_text(const verb_page& page) {
  std::ostringstream text;
  text << "Usage: penstock " << page.name << (page.arguments.empty() ? "" : " " + page.arguments)
       << (page.options.options().empty() ? "" : " [options]") << "\n\n"
       << page.text << "\n";
  if (!page.options.options().empty())
    text << "\n" << page.options;
  if (!page.examples.empty()) {
    text << "\nExamples:\n";
    for (const auto& example : page.examples)
      text << "  " << example << "\n";
  }
  return text.str();
}

int with_line(const verb_page& page, words line, console& to, const std::function<int(const parsed_line&)>& run) {
  const auto parsed = parse_line(page, line);
  if (!parsed)
    return to.report(parsed.error());
  if (parsed->help) {
    (void)to.out(help_text(page));
    return 0;
  }
  return run(*parsed);
}

} // namespace penstock::tools
