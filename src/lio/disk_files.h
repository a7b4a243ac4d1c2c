#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "sys/integers.h"

namespace tcmufs::lio {

/// The whole text of a file of sysfs or procfs without the white space at its end; empty if it cannot be
/// read.
std::string text_if_there(const std::string& path);

/// From "8:16".
std::optional<dev_t> parse_device_number(const std::string& text);

/// The number in `directory`/dev, `directory` being a block device's or a partition's in sysfs.
std::optional<dev_t> device_number(const std::string& directory);

std::optional<u64> disk_size_bytes(const std::string& sysfs, const std::string& name);

/// Writes to a file of sysfs or configfs, with one write(2), which may wait for a disk's answer. Throws
/// Failure.
void write_kernel_file(const std::string& path, const std::string& text);

}  // namespace tcmufs::lio
