#pragma once

#include <string>

#include "attach/attachment.h"

namespace tcmufs::backstores {

/// Throws Failure (EINVAL, or what the system says) if a backstore cannot be made of the file or block device
/// `path`: one that is there must be writable, one that is not must have a directory to be made in.
void check_image(const std::string& path);

/// The file, made if it is not there, as what a backstore is served with. Waits until a process that is dying
/// lets go of it. Throws Failure: EBUSY (in use by another), EINVAL, and what the system says.
attach::Opened open_image(const std::string& path);

}  // namespace tcmufs::backstores
