#pragma once

#include <string>
#include <vector>

#include "sys/deadline.h"

namespace tcmufs::mountctl {

struct CleanupOptions {
  std::vector<std::string> stores;  // uuids or directories; none: all
  bool dry_run = false;
  Deadline::Clock::duration timeout;
};

/// What `tcmufs --cleanup` is run with, its own name first.
std::vector<std::string> cleanup_arguments(const std::string& daemon, const CleanupOptions& options);

/// Runs the program and waits for it; it says what it does. Throws Refusal (timed_out), and it goes on then.
/// Returns its exit status, or 128 and the signal that has ended it.
int run_cleanup(std::vector<std::string> arguments, Deadline::Clock::duration timeout);

/// `tcmufs --cleanup`, of the daemon beside this program: what dead daemons left is removed. Ends the process
/// with its status if that is not 0. Throws Refusal, Failure.
void clean_up(const CleanupOptions& options);

}  // namespace tcmufs::mountctl
