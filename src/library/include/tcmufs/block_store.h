#pragma once

#include <tcmufs/export.h>

#include <cstddef>
#include <cstdint>
#include <span>

TCMUFS_BEGIN

/// What a device is made of: something that can be read and written at an offset. Only these two functions
/// must be there.
///
/// Offsets and lengths are bytes, multiples of the device's block size (a store is asked for single blocks
/// too, to find the one that cannot be read), and lie within its size. With DeviceOptions::threads of 1, the
/// default, no two of these functions run at the same time; otherwise any may.
///
/// A function that cannot do all that it was asked for throws, and nothing else happens to the process: a
/// std::system_error with ENOSPC or EDQUOT becomes 07/27/07 (space allocation failed), EROFS 07/27/00 (write
/// protected), EAGAIN and ENOMEM (also std::bad_alloc) 0B/00/00 (aborted: the initiator tries again), EIO and
/// whatever else is thrown 03/11/00 or 03/0C/00 (the medium cannot be read, written), any other errno
/// 04/44/00 (internal target failure).
class TCMUFS_API BlockStore {
 public:
  BlockStore() = default;
  BlockStore(const BlockStore&) = delete;
  BlockStore& operator=(const BlockStore&) = delete;
  virtual ~BlockStore();

  /// Fills `data` with the bytes from `offset` on.
  virtual void read(std::uint64_t offset, std::span<std::byte> data) = 0;
  /// Makes `data` the bytes from `offset` on.
  virtual void write(std::uint64_t offset, std::span<const std::byte> data) = 0;

  /// Whether what write() has taken can still be lost until flush() returns. False unless overridden: the
  /// device then says that it has no write cache, and flush() is never called. A store that says true has to
  /// have flush().
  virtual bool has_write_cache() const;
  /// Returns when every write() that had returned before is as safe as it will ever be. Throws ENOTSUP unless
  /// overridden, so that no store promises by accident what it does not do.
  virtual void flush();

  /// Whether discard() gives space back: the device then offers UNMAP. False unless overridden.
  virtual bool can_discard() const;
  /// The range reads as zeros afterwards, and takes up no space where that is possible. Calls zero() unless
  /// overridden.
  virtual void discard(std::uint64_t offset, std::uint64_t length);
  /// The range reads as zeros afterwards. Writes zeros unless overridden.
  virtual void zero(std::uint64_t offset, std::uint64_t length);

  /// Its size, for those who do not say any in DeviceOptions; 0, unless overridden: it has none of its own.
  virtual std::uint64_t size() const;
  /// Changes it, for Device::resize(); bytes that are new read as zeros. Throws ENOTSUP unless overridden.
  virtual void resize(std::uint64_t size);
};

TCMUFS_END
