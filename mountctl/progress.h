#pragma once

#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "sys/deadline.h"

namespace tcmufs::mountctl {

/// A line on a terminal for as long as this lives and something is waited for: what, and how many seconds. It
/// shows after a second, changes every second, is cut to the terminal's width, and is wiped away at the end.
/// Nothing is written to what is no terminal, or one that cannot wipe a line (TERM is dumb). Nobody else may
/// write to the terminal meanwhile: who does overwrites the line.
class Progress {
 public:
  /// `what` is like "waiting for the disk of 'db0'".
  explicit Progress(std::string what, int terminal = STDERR_FILENO);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Whether anything would be shown on `terminal`.
  static bool shows_on(int terminal);

  /// Something else is waited for from now on. Any thread.
  void now(std::string what);

 private:
  void run();
  std::string line() const;  // with mutex_ held

  int terminal_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string what_;                   // guarded by mutex_
  Deadline::Clock::time_point begin_;  // guarded by mutex_
  bool ended_ = false;                 // guarded by mutex_
  std::thread writer_;                 // none where nothing is shown
};

}  // namespace tcmufs::mountctl
