#pragma once

#include <string>

namespace tcmufs::daemon {

/// The two directories a daemon works with, absolute and without symbolic links.
struct Paths {
  std::string store;
  std::string mount_point;
};

/// Resolves and checks them: both must be directories and neither may lie in the other, because block I/O
/// must never pass through our own mount. A mount point whose daemon has died is taken as it is. Throws
/// Failure.
Paths resolve_paths(const std::string& store, const std::string& mount_point);

}  // namespace tcmufs::daemon
