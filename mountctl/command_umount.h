#pragma once

#include <functional>
#include <string>

#include "sys/deadline.h"

namespace tcmufs::mountctl {

struct UmountOptions {
  bool force = false;  // detach the mount though it is in use; the daemon flushes what it can and tears down
  Deadline::Clock::duration timeout = std::chrono::seconds(60);
};

/// umount2(2): 0 or the errno. Tests have their own.
using Umount2 = std::function<int(const std::string& mount, int flags)>;
int system_umount2(const std::string& mount, int flags);

/// Unmounts and returns when the daemon has taken every disk down and ended. Throws Refusal: failed (in use,
/// with who uses what) or timed_out (unmounted, the daemon not ended yet).
void unmount(const std::string& mount, const UmountOptions& options, const Umount2& umount2 = system_umount2);

}  // namespace tcmufs::mountctl
