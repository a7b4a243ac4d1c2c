#pragma once

#include <string>
#include <vector>

namespace tcmufs::fuse {

/// The options of `-o`, sorted by who takes them. Those that mount(8) and fstab have for themselves are left
/// out; libfuse is shown all others: it knows which there are.
struct MountOptions {
  unsigned long flags = 0;             // MS_* of mount(2)
  std::string kernel;                  // ",allow_other...": to be added to mount(2)'s data
  std::vector<std::string> arguments;  // argv for fuse_session_new()
};

/// `options` as given, each "NAME", "NAME=VALUE" or several with commas between them. `source` is what df and
/// /proc/mounts show as mounted.
MountOptions sorted_options(const std::vector<std::string>& options, const std::string& source);

}  // namespace tcmufs::fuse
