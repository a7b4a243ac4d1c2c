#pragma once

#include <sys/uio.h>

#include <span>

#include "sys/integers.h"

namespace tcmufs::volume {

/// What O_DIRECT asks of the I/O on a file that was opened with it, and a way out for what cannot comply.
/// Used by one thread, which alone does I/O through that open file description.
class DirectAccess {
 public:
  explicit DirectAccess(int descriptor) noexcept;

  /// Whether the file was opened with O_DIRECT.
  bool on() const noexcept { return alignment_bytes_ > 0; }
  /// Whether a transfer of these buffers at this offset complies, as far as is known: EINVAL says that it
  /// does not.
  bool allows(u64 offset_bytes, std::span<const iovec> buffer) const noexcept;

  /// While it lives the file is read and written through the page cache, which the kernel keeps coherent with
  /// direct I/O that is not under way at the same time: none must be.
  class Suspension {
   public:
    explicit Suspension(const DirectAccess& access) noexcept;
    ~Suspension();
    Suspension(const Suspension&) = delete;
    Suspension& operator=(const Suspension&) = delete;

   private:
    const DirectAccess& access_;
  };

 private:
  void set(bool direct) const noexcept;

  const int descriptor_;
  int flags_ = 0;
  u64 alignment_bytes_ = 0;  // of offsets, lengths and memory; 0: not direct
};

}  // namespace tcmufs::volume
