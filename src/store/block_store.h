#pragma once

#include <sys/uio.h>

#include <span>
#include <system_error>

#include "sys/integers.h"

namespace tcmufs::store {

/// Something that can be read and written at an offset: what lies under a volume.
///
/// Offsets and lengths are bytes. Every operation is all or nothing as far as its result goes: no error
/// means that every byte asked for was read or written; partial transfers, EINTR and the like are the store's
/// own affair. A range beyond size_bytes() is an error (EIO), never zeros. Errors are errno values.
/// All operations may be called from several threads at once.
class BlockStore {
 public:
  struct Extent {
    bool mapped;       // false: a hole, reads as zeros
    u64 length_bytes;  // from the offset asked for; never beyond size_bytes()
  };

  BlockStore() = default;
  BlockStore(const BlockStore&) = delete;
  BlockStore& operator=(const BlockStore&) = delete;
  virtual ~BlockStore() = default;

  /// Estimates.
  struct Space {
    u64 used_bytes;       // what the store takes up
    u64 available_bytes;  // what it, and others beside it, could still take up
  };

  virtual u64 size_bytes() const noexcept = 0;

  /// Space is taken up and given back in multiples of this: a power of two, at most 1 MiB. 1 if the store
  /// cannot tell.
  virtual u32 allocation_unit_bytes() const noexcept { return 1; }

  /// Fills the buffers, in order, with the bytes from `offset` on.
  [[nodiscard]] virtual std::error_code read(u64 offset, std::span<const iovec> buffers) noexcept = 0;
  /// Writes the buffers, in order, from `offset` on. Stable only after flush().
  [[nodiscard]] virtual std::error_code write(u64 offset, std::span<const iovec> buffers) noexcept = 0;
  /// Returns when every write that had completed before the call is on stable storage.
  [[nodiscard]] virtual std::error_code flush() noexcept = 0;
  /// Gives the space back where that can be done; the range reads as zeros afterwards in any case.
  [[nodiscard]] virtual std::error_code discard(u64 offset, u64 length) noexcept = 0;
  /// The range reads as zeros afterwards; space stays allocated where the store can tell.
  [[nodiscard]] virtual std::error_code zero(u64 offset, u64 length) noexcept = 0;
  /// Changes the size; bytes that are new read as zeros.
  [[nodiscard]] virtual std::error_code resize(u64 size_bytes) noexcept = 0;
  /// What the store knows of the bytes from `offset` (< size_bytes()) on.
  [[nodiscard]] virtual std::error_code extent(u64 offset, Extent& result) noexcept = 0;
  /// A store that cannot tell takes up all it has, and no more.
  [[nodiscard]] virtual std::error_code space(Space& result) noexcept {
    result = {size_bytes(), 0};
    return {};
  }
};

}  // namespace tcmufs::store
