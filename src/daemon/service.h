#pragma once

#include "daemon/background.h"
#include "daemon/options.h"

namespace tcmufs::daemon {

/// Mounts, serves until the file system is unmounted or SIGTERM or SIGINT comes, and tears everything down.
/// Returns the exit status; throws Failure for what stands in the way of the beginning, when everything has
/// been undone.
int serve(const Options& options, Background& background);

}  // namespace tcmufs::daemon
