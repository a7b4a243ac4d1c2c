#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <span>
#include <vector>

#include "sys/integers.h"

namespace tcmufs::scsi {

/// Sum of the lengths; the largest u64 if that is more.
u64 length_bytes(std::span<const iovec> buffer) noexcept;

/// Copies `bytes` to the front of `buffer`; returns how many fitted.
std::size_t copy_to(std::span<const iovec> buffer, std::span<const u8> bytes) noexcept;

/// Fills `bytes` from `buffer`, `skip` bytes after its start; returns how many there were.
std::size_t copy_from(std::span<const iovec> buffer, u64 skip, std::span<u8> bytes) noexcept;

/// The part of `buffer` from `skip` on, at most `length` bytes.
std::vector<iovec> slice(std::span<const iovec> buffer, u64 skip, u64 length);

}  // namespace tcmufs::scsi
