#pragma once

#include <span>
#include <string>

#include "sys/deadline.h"
#include "sys/fd.h"
#include "sys/mapping.h"

namespace tcmufs::tcmu {

/// The userspace half of a TCMU device: /dev/uioN, open and mapped. Closing it fails nothing: commands wait.
class Uio {
 public:
  /// Finds the device by its UIO name ("tcm-user/HBA/NAME/CONFIG"), waits for its node, opens it (retrying
  /// EBUSY while a dead process still holds it) and maps it. Throws Failure: ENODEV, EBUSY, ETIMEDOUT (no
  /// node), EPROTO (no size of the mapping). `sysfs` is "/sys" and `dev` "/dev" outside tests.
  Uio(const std::string& name, const Deadline& deadline, const std::string& sysfs = "/sys",
      const std::string& dev = "/dev");

  std::span<std::byte> memory() const noexcept { return mapping_.bytes(); }
  /// Polls readable when the kernel has put commands into the ring.
  int fd() const noexcept { return fd_.number(); }
  /// Takes note of the kernel's events so that fd() polls again; false: the device has been removed.
  [[nodiscard]] bool acknowledge() noexcept;
  /// Tells the kernel to look at the responses; false: the device has been removed.
  [[nodiscard]] bool notify() noexcept;

 private:
  Fd fd_;
  Mapping mapping_;
};

}  // namespace tcmufs::tcmu
