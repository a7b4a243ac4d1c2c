#pragma once

#include <signal.h>
#include <termios.h>

#include <string>

#include "sys/deadline.h"
#include "sys/fd.h"

namespace tcmufs::mountctl {

/// A terminal as a whole screen, for as long as this lives: then it is as it was before, with all that stood
/// on it. The user ends it with q, or with ^C (SIGINT, SIGTERM, SIGHUP and SIGQUIT are taken for that, in the
/// calling thread). One thread.
class Screen {
 public:
  /// Descriptors of terminals; a keyboard that is none is not read. Throws Failure.
  Screen(int keyboard, int screen);
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  /// Shows the text from the upper left corner on: what does not fit is cut off.
  void draw(const std::string& text) const;

  enum class Wake { time, resized, ended };
  /// Returns at the deadline, when the terminal gets another size, or when the user ends it.
  Wake wait(const Deadline& deadline);
  bool ended() const noexcept { return ended_; }

 private:
  Wake take_signal();
  Wake take_key();

  termios before_{};  // first, because the constructor fills it on the way
  int keyboard_;
  int screen_;
  bool is_terminal_;   // the keyboard
  bool has_keyboard_;  // until its end
  bool ended_ = false;
  sigset_t mask_before_{};
  Fd signals_;
};

}  // namespace tcmufs::mountctl
