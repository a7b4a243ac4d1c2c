#pragma once

#include <mutex>
#include <set>
#include <string>

#include "attach/attachment.h"

namespace tcmufs::backstores {

/// The images that backstores are made of: files and block devices. Any thread.
class Images {
 public:
  /// Throws Failure (EINVAL, EBUSY, or what the system says) if a backstore cannot be made of `path`: what is
  /// there must be writable, and used by nobody; what is not must have a directory to be made in.
  void check(const std::string& path);

  /// The image as what a backstore is served with. A file that is not there is made only if it has been asked
  /// about by check(), as targetcli does when somebody makes a backstore: one that the machine's start or a
  /// new daemon misses may lie on a file system that is not mounted. Waits until a process that is dying lets
  /// go of it. Throws Failure: ENOENT, EBUSY (in use by another), EINVAL, and what the system says.
  attach::Opened open(const std::string& path);

 private:
  std::mutex mutex_;
  std::set<std::string> to_be_made_;  // guarded by mutex_
};

}  // namespace tcmufs::backstores
