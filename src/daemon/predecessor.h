#pragma once

#include "daemon/options.h"
#include "daemon/paths.h"

namespace tcmufs::daemon {

/// Kills the daemon that serves the store, if one does, and waits for its end: its disks stay, with their I/O
/// waiting, and are this process's to take over. Throws Failure, and then it goes on to live: EBUSY if
/// systemd would put another in its place, EINVAL if the store is mounted elsewhere, or if this process could
/// not mount it with these options.
void end_predecessor(const Options& options, const Paths& paths);

}  // namespace tcmufs::daemon
