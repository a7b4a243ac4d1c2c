#include "sys/message.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "sys/error.h"

namespace tcmufs {

namespace {

struct Head {
  u64 word;
  u64 length;
};

union Control {
  cmsghdr header;
  std::array<char, CMSG_SPACE(sizeof(int))> bytes;
};

// The descriptor goes with the first byte.
void attach(msghdr& message, Control& control, int file) {
  message.msg_control = control.bytes.data();
  message.msg_controllen = control.bytes.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof file);
  std::memcpy(CMSG_DATA(header), &file, sizeof file);
}

Fd attached(msghdr& message) {
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return {};
  int file = -1;
  std::memcpy(&file, CMSG_DATA(header), sizeof file);
  return Fd(file);
}

void send_all(const Fd& socket, const char* bytes, std::size_t length) {
  while (length > 0) {
    const ssize_t n = ::send(socket.number(), bytes, length, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw_errno("cannot send to another process");
    bytes += n;
    length -= static_cast<std::size_t>(n);
  }
}

bool receive_all(const Fd& socket, char* bytes, std::size_t length) {
  while (length > 0) {
    const ssize_t n = ::recv(socket.number(), bytes, length, MSG_WAITALL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes += n;
    length -= static_cast<std::size_t>(n);
  }
  return true;
}

}  // namespace

void send_message(const Fd& socket, u64 word, const std::string& body, const Fd& file) {
  Head head{word, body.size()};
  iovec piece{&head, sizeof head};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  Control control{};
  if (file) attach(message, control, file.number());
  ssize_t n = 0;
  do {
    n = ::sendmsg(socket.number(), &message, MSG_NOSIGNAL);
  } while (n < 0 && errno == EINTR);
  if (n < 0) throw_errno("cannot send to another process");
  const auto sent = static_cast<std::size_t>(n);
  send_all(socket, reinterpret_cast<const char*>(&head) + sent, sizeof head - sent);
  send_all(socket, body.data(), body.size());
}

std::optional<Message> receive_message(const Fd& socket) {
  Head head{};
  iovec piece{&head, sizeof head};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  Control control{};
  message.msg_control = control.bytes.data();
  message.msg_controllen = control.bytes.size();
  ssize_t n = 0;
  do {
    n = ::recvmsg(socket.number(), &message, MSG_WAITALL | MSG_CMSG_CLOEXEC);
  } while (n < 0 && errno == EINTR);
  if (n <= 0) return std::nullopt;
  Message result;
  result.file = attached(message);
  const auto got = static_cast<std::size_t>(n);
  if (!receive_all(socket, reinterpret_cast<char*>(&head) + got, sizeof head - got)) return std::nullopt;
  result.word = head.word;
  result.body.resize(head.length);
  if (!receive_all(socket, result.body.data(), result.body.size())) return std::nullopt;
  return result;
}

}  // namespace tcmufs
