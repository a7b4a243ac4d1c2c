#pragma once

#include <string>

#include "lio/scsi_disk.h"

namespace tcmufs::lio {

/// Turns the I/O scheduler of the disk off: it is memory or a file, whose own scheduler comes later, and one
/// here costs a switch of threads per command. Does nothing where that cannot be done.
void bypass_scheduler(const ScsiDisk& disk, const std::string& sysfs = "/sys") noexcept;

}  // namespace tcmufs::lio
