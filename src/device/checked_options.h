#pragma once

#include <string>

#include "sys/uuid.h"
#include "tcmufs/device.h"

namespace tcmufs::device {

/// The directory as an absolute path without links, however it was written.
std::string whole_path(const std::string& directory);

/// The same for the same name in the same directory of the same machine.
Uuid uuid_of(const std::string& whole_directory, const std::string& name, const std::string& machine);
/// The text of /etc/machine-id; empty where there is none.
std::string machine_id();

/// Throws Failure (EINVAL) for what no device can have. What scsi checks is left to it.
void check_name(const std::string& name);
void check_threads(unsigned threads);
void check_options(const DeviceOptions& options);

/// The size that is asked for, or that of the store (`store_size`, 0 if it has none). Throws Failure (EINVAL)
/// if there is none, or the store is smaller.
u64 size_of(const DeviceOptions& options, u64 store_size);

}  // namespace tcmufs::device
