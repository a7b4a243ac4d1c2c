#pragma once

#include <string>

#include "sys/fd.h"

namespace tcmufs::device {

/// The right of one object in one process to a device: a lock on RUN/KEY, which goes with the process, and a
/// file that goes with the object.
class NameLock {
 public:
  /// `shown` is for the sentence. Throws Failure: EBUSY if somebody has it.
  NameLock(const std::string& key, const std::string& shown, const std::string& run = "/run/tcmufs/devices");
  ~NameLock();
  NameLock(const NameLock&) = delete;
  NameLock& operator=(const NameLock&) = delete;

 private:
  std::string path_;
  Fd file_;
};

}  // namespace tcmufs::device
