#include "volume/direct_access.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <bit>
#include <cstdint>

namespace tcmufs::volume {

namespace {

constexpr u64 usual_alignment = 4096;

// Linux 6.1 and later tell, of some file systems. Trying it out does not: holes can be read at any offset.
u64 alignment_of([[maybe_unused]] int descriptor) noexcept {
#ifdef STATX_DIOALIGN
  struct statx status {};
  if (::statx(descriptor, "", AT_EMPTY_PATH, STATX_DIOALIGN, &status) == 0 &&
      status.stx_dio_offset_align > 0) {
    return std::bit_ceil(u64{std::max(status.stx_dio_offset_align, status.stx_dio_mem_align)});
  }
#endif
  return usual_alignment;
}

}  // namespace

DirectAccess::DirectAccess(int descriptor) noexcept
    : descriptor_(descriptor), flags_(std::max(::fcntl(descriptor, F_GETFL), 0)) {
  if ((flags_ & O_DIRECT) != 0) alignment_bytes_ = alignment_of(descriptor);
}

bool DirectAccess::allows(u64 offset_bytes, std::span<const iovec> buffer) const noexcept {
  const auto aligned = [this](u64 number) { return (number & (alignment_bytes_ - 1)) == 0; };
  return aligned(offset_bytes) && std::all_of(buffer.begin(), buffer.end(), [&](const iovec& piece) {
           return aligned(reinterpret_cast<std::uintptr_t>(piece.iov_base)) && aligned(piece.iov_len);
         });
}

void DirectAccess::set(bool direct) const noexcept {
  static_cast<void>(::fcntl(descriptor_, F_SETFL, direct ? flags_ : flags_ & ~O_DIRECT));
}

DirectAccess::Suspension::Suspension(const DirectAccess& access) noexcept : access_(access) {
  if (access_.on()) access_.set(false);
}

DirectAccess::Suspension::~Suspension() {
  if (access_.on()) access_.set(true);
}

}  // namespace tcmufs::volume
