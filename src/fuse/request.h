#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "sys/integers.h"

namespace tcmufs::fuse {

/// The handle that a request as read from /dev/fuse releases, if it is a RELEASE (<linux/fuse.h>: struct
/// fuse_in_header, then struct fuse_release_in).
std::optional<u64> released_handle(std::span<const std::byte> request);

}  // namespace tcmufs::fuse
