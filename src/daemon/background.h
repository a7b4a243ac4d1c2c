#pragma once

#include <string>

#include "sys/fd.h"

namespace tcmufs::daemon {

/// The daemon's way into the background. The parent waits until the child says that it is ready, passes on
/// what the child has to say, and ends with its exit status; a child that dies without a word is reported
/// too.
class Background {
 public:
  /// Forks unless `foreground`; must be called before any thread is started. Only the child returns.
  explicit Background(bool foreground);

  /// Something a person who waits at the shell should know.
  void tell(const std::string& sentence) const;
  /// Lets the parent end with status 0 and detaches from the terminal.
  void ready();
  bool is_ready() const noexcept { return ready_; }

 private:
  Fd to_parent_;
  bool foreground_;
  bool ready_ = false;
};

}  // namespace tcmufs::daemon
