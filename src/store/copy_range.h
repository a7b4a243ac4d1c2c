#pragma once

#include "sys/integers.h"

namespace tcmufs::store {

/// Copies `length` bytes of the regular file `from` into the regular file `to`, both open descriptors: their
/// blocks are shared where the file system can, else the data is copied and what are holes becomes holes.
/// Returns how many bytes it was: fewer at the end of `from`, and after 256 MiB that could not be shared, so
/// that no call takes long. Throws Failure.
u64 copy_range(int from, u64 from_offset, int to, u64 to_offset, u64 length);

}  // namespace tcmufs::store
