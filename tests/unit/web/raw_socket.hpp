// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace penstock::web {

/// A TCP connection to loopback that sends whatever bytes a test likes. Reads give up after 20 s.
class raw_socket {
public:
  explicit raw_socket(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval limit{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0;
  }
  raw_socket(const raw_socket&) = delete;
  raw_socket& operator=(const raw_socket&) = delete;
  ~raw_socket() { ::close(socket_); }

  [[nodiscard]] bool connected() const { return connected_; }

  /// False when the other side has closed.
  bool send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0)
        return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  /// Everything until the other side closes.
  [[nodiscard]] std::string read_all() const {
    std::string out;
    while (read_some(out)) {
    }
    return out;
  }

  /// Everything up to and including `mark`, or until the other side closes.
  [[nodiscard]] std::string read_until(std::string_view mark) {
    while (kept_.find(mark) == std::string::npos && read_some(kept_)) {
    }
    const auto end = kept_.find(mark);
    auto out = end == std::string::npos ? kept_ : kept_.substr(0, end + mark.size());
    kept_.erase(0, out.size());
    return out;
  }

private:
  bool read_some(std::string& to) const {
    char bytes[4096];
    const auto count = ::recv(socket_, bytes, sizeof(bytes), 0);
    if (count <= 0)
      return false;
    to.append(bytes, static_cast<std::size_t>(count));
    return true;
  }

  int socket_;
  bool connected_ = false;
  std::string kept_;
};

} // namespace penstock::web
