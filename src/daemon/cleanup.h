#pragma once

#include "daemon/options.h"

namespace tcmufs::daemon {

/// Removes what daemons that died have left in the kernel, in /dev and /run, and their mounts: of the stores
/// that are named, or of all. Says what it does, and what is lost, a line each on standard output; what it
/// refuses or fails at on standard error. Returns the exit status: 1 if there was any of that. Throws
/// Failure.
int clean_up(const Options& options);

}  // namespace tcmufs::daemon
