#pragma once

#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "sys/integers.h"

namespace tcmufs::mountctl {

/// Values for control files of the volume, in the order in which they are written: "block_size", "4096".
using VolumeSettings = std::vector<std::pair<std::string, std::string>>;

/// Creates a volume and returns when its disk is ready; prints the link to it, or its
/// whole status as JSON. If it cannot be, what was
/// created is removed again, and Refusal says why; a volume that was there before is never touched.
void create_volume(const std::string& mount, const std::string& name, u64 size_bytes,
                   const VolumeSettings& settings, bool json, std::ostream& out);

}  // namespace tcmufs::mountctl
