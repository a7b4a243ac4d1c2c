#include "mountctl/screen.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>

#include "mountctl/terminal.h"
#include "sys/error.h"

namespace tcmufs::mountctl {

namespace {

// Another screen, and back to the one that was there; the cursor hidden, and shown.
constexpr const char* enter_sequence = "\033[?1049h\033[?25l";
constexpr const char* leave_sequence = "\033[?25h\033[?1049l";

void put(int descriptor, const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t count = ::write(descriptor, text.data() + at, text.size() - at);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;  // a terminal that is gone: a signal says so
    at += static_cast<std::size_t>(count);
  }
}

}  // namespace

Screen::Screen(int keyboard, int screen)
    : keyboard_(keyboard),
      screen_(screen),
      is_terminal_(::tcgetattr(keyboard, &before_) == 0),
      has_keyboard_(is_terminal_) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH}) sigaddset(&signals, signal);
  signals_ = Fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_) throw_errno("cannot take signals");
  ::pthread_sigmask(SIG_BLOCK, &signals, &mask_before_);
  if (is_terminal_) {
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    raw.c_cc[VSUSP] = _POSIX_VDISABLE;  // a stopped program cannot give the terminal back
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    ::tcsetattr(keyboard_, TCSANOW, &raw);
  }
  put(screen_, enter_sequence);
}

Screen::~Screen() {
  if (is_terminal_) ::tcsetattr(keyboard_, TCSAFLUSH, &before_);
  put(screen_, leave_sequence);
  // A second ^C must not end the program on its way out.
  for (signalfd_siginfo info{}; ::read(signals_.number(), &info, sizeof info) > 0;) continue;
  ::pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

void Screen::draw(const std::string& text) const {
  winsize size{};
  if (::ioctl(screen_, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) size = {24, 80, 0, 0};
  std::istringstream lines(text);
  std::string output = "\033[H";
  std::string line;
  for (unsigned row = 0; row < size.ws_row && std::getline(lines, line); ++row) {
    output += (row == 0 ? "" : "\r\n") + cut_to(line, size.ws_col) + "\033[K";
  }
  put(screen_, output + "\033[J");
}

Screen::Wake Screen::take_signal() {
  signalfd_siginfo info{};
  if (::read(signals_.number(), &info, sizeof info) != sizeof info) return Wake::time;
  if (info.ssi_signo == SIGWINCH) return Wake::resized;
  ended_ = true;
  return Wake::ended;
}

Screen::Wake Screen::take_key() {
  char key = 0;
  const ssize_t count = ::read(keyboard_, &key, 1);
  if (count <= 0) has_keyboard_ = has_keyboard_ && count < 0 && errno == EINTR;
  ended_ = ended_ || (count == 1 && (key == 'q' || key == 'Q'));
  return ended_ ? Wake::ended : Wake::time;
}

Screen::Wake Screen::wait(const Deadline& deadline) {
  while (!ended_) {
    pollfd items[] = {{signals_.number(), POLLIN, 0}, {has_keyboard_ ? keyboard_ : -1, POLLIN, 0}};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline.left());
    constexpr std::chrono::milliseconds longest = std::chrono::hours(1);
    const int ready = ::poll(items, 2, static_cast<int>(std::min(left, longest).count()));
    if (ready < 0 && errno != EINTR) throw_errno("cannot wait for the terminal");
    if (ready > 0 && items[0].revents != 0 && take_signal() == Wake::resized) return Wake::resized;
    if (ready > 0 && items[1].revents != 0) take_key();
    if (!ended_ && deadline.passed()) return Wake::time;
  }
  return Wake::ended;
}

}  // namespace tcmufs::mountctl
