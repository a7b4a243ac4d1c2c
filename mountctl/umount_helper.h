#pragma once

#include <functional>
#include <string>
#include <vector>

#include "mountctl/command_umount.h"
#include "mountctl/refusal.h"

namespace tcmufs::mountctl {

/// umount(8) leaves file systems of type fuse.tcmufs to the program umount.fuse.tcmufs, which this is. It
/// calls umount2(2) itself, never umount(8), which would call it again.
struct UmountHelperOptions {
  std::string target;
  std::string mount_namespace;  // -N: a process or a file; empty: this one
  bool lazy = false;            // -l: detach, and wait for nothing
  bool read_only = false;       // -r: what stays mounted is made read-only
  bool verbose = false;         // -v
};

/// The words that umount(8) gives: TARGET [-flnrv] [-N namespace] [-t type]. -f and -n change nothing. Throws
/// Refusal (usage).
UmountHelperOptions parse_umount_words(std::vector<std::string> words);

/// What the helper needs of the system; tests bring their own.
struct UmountSystem {
  std::string mountinfo = "/proc/self/mountinfo";
  Umount2 umount2 = system_umount2;
  std::function<int(const std::string& mount)> remount_read_only;  // 0 or errno
};

/// Unmounts and returns when every disk is gone. Throws Refusal and Failure, as unmount() does.
void umount_as_helper(const UmountHelperOptions& options, const UmountSystem& system);

/// The same from the command line, on the real system.
std::function<void()> parse_umount_helper(std::vector<std::string> words);
/// In umount(8)'s terms: 0, 1 (wrong usage), 32 (failed).
int umount_helper_status(ExitStatus status);

}  // namespace tcmufs::mountctl
