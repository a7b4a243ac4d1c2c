#include "daemon/background.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "sys/error.h"

namespace tcmufs::daemon {

namespace {

constexpr char ready_byte = '\0';

// The child's words go to standard error as they come; a NUL byte says that it is ready.
[[noreturn]] void wait_for(pid_t child, const Fd& words) {
  std::array<char, 512> piece;
  for (;;) {
    const ssize_t length = ::read(words.number(), piece.data(), piece.size());
    if (length < 0 && errno == EINTR) continue;
    if (length <= 0) break;
    const std::string text(piece.data(), static_cast<std::size_t>(length));
    const auto end = text.find(ready_byte);
    std::fputs(text.substr(0, end).c_str(), stderr);
    if (end != std::string::npos) ::_exit(0);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) != 0) ::_exit(WEXITSTATUS(status));
  std::fprintf(stderr, "tcmufs: the daemon died before it was ready (wait status %d)\n", status);
  ::_exit(1);
}

}  // namespace

Background::Background(bool foreground) : foreground_(foreground) {
  if (foreground) return;
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno("cannot make a pipe");
  const Fd from_child(ends[0]);
  to_parent_ = Fd(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) throw_errno("cannot start the daemon");
  if (child > 0) {
    to_parent_.reset();
    wait_for(child, from_child);
  }
  ::setsid();
}

void Background::tell(const std::string& sentence) const {
  const std::string line = "tcmufs: " + sentence + "\n";
  const int fd = to_parent_ ? to_parent_.number() : STDERR_FILENO;
  [[maybe_unused]] const auto written = ::write(fd, line.data(), line.size());
}

void Background::ready() {
  ready_ = true;
  if (foreground_) return;
  const Fd null = open_file("/dev/null", O_RDWR);
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null.number(), standard);
  if (::chdir("/") != 0) throw_errno("cannot change to the directory '/'");
  [[maybe_unused]] const auto written = ::write(to_parent_.number(), &ready_byte, 1);
  to_parent_.reset();
}

}  // namespace tcmufs::daemon
