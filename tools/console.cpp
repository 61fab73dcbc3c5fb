// SPDX-License-Identifier: Apache-2.0
#include "tools/console.hpp"

#include <cerrno>
#include <string>

#include <sys/ioctl.h>
#include <unistd.h>

namespace penstock::tools {

namespace {

bool put(int to, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(to, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

winsize terminal_size() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
    size.ws_col = 80;
    size.ws_row = 24;
  }
  return size;
}

class process_console final : public console {
public:
  bool out(std::string_view text) override { return put(STDOUT_FILENO, text); }
  void err(std::string_view text) override { (void)put(STDERR_FILENO, text); }
  bool out_is_terminal() const override { return ::isatty(STDOUT_FILENO) == 1; }
  bool err_is_terminal() const override { return ::isatty(STDERR_FILENO) == 1; }
  std::size_t width() const override { return terminal_size().ws_col; }
  std::size_t height() const override { return terminal_size().ws_row; }
};

} // namespace

int console::report(const error& why) {
  err("penstock: " + why.text() + "\n");
  return static_cast<int>(why.code());
}

std::unique_ptr<console> system_console() {
  return std::make_unique<process_console>();
}

} // namespace penstock::tools
