#pragma once

#include <sys/uio.h>

#include <span>
#include <system_error>

#include "sys/integers.h"

namespace tcmufs::store {

/// preadv(2) or pwritev(2).
using VectorCall = ssize_t (*)(int, const iovec*, int, off_t);

/// The sum of the lengths of `buffers`, if it is at most `limit`; otherwise more than `limit`.
u64 total_bytes(std::span<const iovec> buffers, u64 limit) noexcept;

/// Moves all bytes of `buffers`, in order, from or to `offset` on: however short the transfers are, however
/// many the buffers, and whatever signals arrive. A transfer of nothing (the end of the file) is EIO.
[[nodiscard]] std::error_code transfer(VectorCall call, int fd, u64 offset,
                                       std::span<const iovec> buffers) noexcept;

}  // namespace tcmufs::store
