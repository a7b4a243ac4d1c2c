#pragma once

#include <string>

#include "lio/scsi_disk.h"

namespace tcmufs::lio {

/// Has udev look at the disk once more, because its link in /dev is another now. Returns at once; does
/// nothing where that cannot be done.
void announce_change(const ScsiDisk& disk, const std::string& sysfs = "/sys") noexcept;

/// Has udev treat the disk and its /dev/sgN as if they had just come: only then it gives their nodes a group.
void announce_again(const ScsiDisk& disk, const std::string& sysfs = "/sys") noexcept;

}  // namespace tcmufs::lio
