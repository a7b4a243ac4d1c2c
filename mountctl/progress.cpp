#include "mountctl/progress.h"

#include <sys/ioctl.h>

#include <utility>

#include "mountctl/terminal.h"

namespace tcmufs::mountctl {

namespace {

constexpr auto step = std::chrono::seconds(1);
// The cursor goes back to the first column, so that what others write overwrites the line.
constexpr const char* wipe = "\r\033[K";

void write_to(int terminal, const std::string& text) {
  // A terminal that is gone: there is nobody to tell.
  static_cast<void>(::write(terminal, text.data(), text.size()) < 0);
}

std::size_t columns_of(int terminal) {
  winsize size{};
  if (::ioctl(terminal, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

}  // namespace

Progress::Progress(std::string what, int terminal)
    : terminal_(terminal), what_(std::move(what)), begin_(Deadline::Clock::now()) {
  if (shows_on(terminal)) writer_ = std::thread([this] { run(); });
}

Progress::~Progress() {
  if (!writer_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_one();
  writer_.join();
}

bool Progress::shows_on(int terminal) {
  return can_move_cursor(terminal);
}

void Progress::now(std::string what) {
  const std::lock_guard lock(mutex_);
  what_ = std::move(what);
  begin_ = Deadline::Clock::now();
}

std::string Progress::line() const {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(Deadline::Clock::now() - begin_);
  const std::string text = what_ + ": " + std::to_string(seconds.count()) + " s";
  return cut_to(text, columns_of(terminal_) - 1);
}

void Progress::run() {
  bool shown = false;
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, step, [&] { return ended_; })) {
    write_to(terminal_, wipe + line() + "\r");
    shown = true;
  }
  if (shown) write_to(terminal_, wipe);
}

}  // namespace tcmufs::mountctl
