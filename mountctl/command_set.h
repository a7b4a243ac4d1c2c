#pragma once

#include <string>

#include "mountctl/command_create.h"

namespace tcmufs::mountctl {

/// Gives settings of a volume other values, one after the other; each holds when the next is begun. Throws
/// Refusal: usage, before anything is changed, for a name that is none; failed with the mount's sentence, and
/// with what has been set before.
void set_settings(const std::string& mount, const std::string& name, const VolumeSettings& settings);

}  // namespace tcmufs::mountctl
