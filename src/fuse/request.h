#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>

#include "sys/integers.h"

namespace tcmufs::fuse {

/// The handle that a request as read from /dev/fuse releases, if it is a RELEASE (<linux/fuse.h>: struct
/// fuse_in_header, then struct fuse_release_in).
std::optional<u64> released_handle(std::span<const std::byte> request);

/// The answer to an OPEN of a file that goes on (struct fuse_open_out), which libfuse cannot give: a stream
/// has no position, so that a read that waits does not hold the lock of the position that another one of the
/// same open file would wait for, with no signal to end that.
std::array<std::byte, 16> opened_stream(u64 handle);

}  // namespace tcmufs::fuse
