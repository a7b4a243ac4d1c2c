#pragma once

#include <functional>
#include <optional>
#include <span>
#include <system_error>

#include "scsi/geometry.h"
#include "scsi/sense.h"
#include "store/block_store.h"

namespace tcmufs::scsi {

/// Whether the bytes at an offset can be read, or written.
using Attempt = std::function<bool(u64 offset_bytes, u64 length_bytes)>;

/// The first block of `range` for which `attempt` fails; nothing if it fails for none. Makes an attempt for
/// every piece, up to the one that fails, and then one for every block of that: few fail, because on a real
/// medium those are the slow ones.
std::optional<u64> first_bad_block(const ByteRange& range, u32 block_size_bytes, const Attempt& attempt);

/// What an error of the store means that reading `range` has given. For a medium error INFORMATION is the
/// first block that cannot be read, if it can be found by reading again.
Sense read_failure(std::error_code error, store::BlockStore& store, const ByteRange& range,
                   u32 block_size_bytes);

/// The same of writing: `data` is what `range` was to become, and is written again to find the block.
Sense write_failure(std::error_code error, store::BlockStore& store, const ByteRange& range,
                    u32 block_size_bytes, std::span<const iovec> data);

}  // namespace tcmufs::scsi
