#pragma once

#include <string>

#include "lio/scsi_disk.h"

namespace tcmufs::lio {

/// Turns the I/O scheduler of the disk off: it is memory or a file, whose own scheduler comes later, and one
/// here costs a switch of threads per command. Does nothing where that cannot be done.
void bypass_scheduler(const ScsiDisk& disk, const std::string& sysfs = "/sys") noexcept;

/// Sets how many commands the kernel sends before it waits for an answer, and how much it reads ahead of a
/// sequential reader. Writes only what is different. Throws Failure.
void tune_queue(const ScsiDisk& disk, u32 queue_depth, u32 read_ahead_kb, const std::string& sysfs = "/sys");

}  // namespace tcmufs::lio
